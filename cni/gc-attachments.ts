// Which attachments the runtime says are valid: CNI's list on stdin of GC.

import * as v from "valibot";

import { ownerToken } from "../sriov/attachment.ts";
import { ConfigError } from "../sriov/config-problems.ts";

/** One attachment as the runtime lists it; `ifname` is CNI_IFNAME of its ADD. */
export interface ValidAttachment {
  readonly containerID: string;
  readonly ifname: string;
}

/** The list's keys: that of the spec, and that of its draft, under which libcni sends the same. */
export const attachmentKeys = ["cni.dev/valid-attachments", "cni.dev/attachments"] as const;

const schema = v.nullable(
  v.array(
    v.object({ containerID: v.string("a text"), ifname: v.string("a text") }, "an attachment"),
    'a list of {"containerID": ..., "ifname": ...}',
  ),
);

/**
 * Everything that one of the lists in `input` names; Go writes an empty one as null. Without any list nobody knows what is
 * valid: ERR_NETWORK_CONFIG. Source: CNI spec 1.1.0, "GC"; containernetworking/cni#1101 for the draft's name.
 */
export function parseValidAttachments(input: object): readonly ValidAttachment[] {
  const given = attachmentKeys.filter((key) => key in input);
  if (given.length === 0) throw new ConfigError("GC", [`${attachmentKeys[0]}: expected a list, got nothing`]);
  const problems: string[] = [];
  const valid = new Map<string, ValidAttachment>();
  for (const key of given) {
    const result = v.safeParse(schema, input[key as keyof typeof input]);
    if (!result.success) {
      const [issue] = result.issues;
      problems.push(`${[key, v.getDotPath(issue)].filter(Boolean).join(".")}: expected ${issue.message}`);
    }
    for (const one of result.success ? (result.output ?? []) : [])
      valid.set(ownerToken({ containerId: one.containerID, attachment: one.ifname }), one);
  }
  if (problems.length > 0) throw new ConfigError("GC", problems);
  return [...valid.values()];
}
