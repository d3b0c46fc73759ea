// How a look at the node reads records: the looks of a daemon check the text of each once.

import { parseAttachment } from "../sriov/attachment-format.ts";
import { parseWhenChanged } from "../sriov/parse-when-changed.ts";
import { parseTuningRecord } from "../sriov/tuning-record.ts";

export interface RecordParsers {
  readonly parseAttachment: typeof parseAttachment;
  readonly parseTuningRecord: typeof parseTuningRecord;
}

/** For a look that no other follows. */
export const plainParsers: RecordParsers = { parseAttachment, parseTuningRecord };

/** For many looks. */
export function createRecordParsers(): RecordParsers {
  return {
    parseAttachment: parseWhenChanged(parseAttachment),
    parseTuningRecord: parseWhenChanged(parseTuningRecord),
  };
}
