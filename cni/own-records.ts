// The records that a DEL may be about; where they cannot be listed it goes on for a pod that never had a VF: that must end all the same.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { tryReadCheckpoint } from "../kubelet/device-holders.ts";
import { readAttachmentsOf, type Attachments } from "../sriov/attachment-store.ts";
import type { Notices } from "./call-log.ts";
import { getsEachPod } from "./first-entry.ts";
import { mayHaveVf } from "./pod-devices.ts";
import type { Request } from "./request.ts";

type View = Pick<Host, "files" | "paths">;

/** Records of the call's container. Throws SystemCallError where they cannot be listed and the pod may have a VF. */
export function readOwnRecords(host: View, request: Request, log: Notices): Attachments {
  try {
    return readAttachmentsOf(host, request.call.containerId);
  } catch (error) {
    if (!(error instanceof HostError) || !hadNoVf(host, request)) throw error;
    log.add("warning", "the records cannot be listed, and the pod never had a VF", { error: String(error) });
    return { records: [], unreadable: [] };
  }
}

// Both must say so: the kubelet forgets a pod that is at its end, and a plugin after this one may leave out of the result what it
// does not know. Without a result the DEL may be that of an ADD that was killed, as well as containerd's second.
function hadNoVf(host: View, request: Request): boolean {
  const { call, config, pod } = request;
  if (config.prevResult === undefined || pod.uid === undefined || getsEachPod(host, request)) return false;
  const hasMore = config.prevResult.interfaces.some(
    ({ name, sandbox, pciID }) => pciID !== undefined || ((sandbox ?? "") !== "" && name !== call.ifName),
  );
  const facts = hasMore ? undefined : tryReadCheckpoint(host);
  return facts !== undefined && !mayHaveVf(host, facts, pod.uid, config);
}
