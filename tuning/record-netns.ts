// The namespace that a record's pod lives in, as the tuning daemon reaches it.

import { join } from "node:path";

import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { resolveInRoot } from "../sriov/root-path.ts";

/** Opens it by the path of the record below the host's root; `undefined` when it is gone, or another one is there (cookie). */
export function openRecordNetns(
  host: Pick<Host, "files" | "paths" | "namespaces">,
  { owner }: Pick<Attachment, "owner">,
): NetnsHandle | undefined {
  const path = resolveInRoot(host.files, host.paths.hostRoot, owner.netns);
  const netns = path === undefined ? undefined : host.namespaces.open(join(host.paths.hostRoot, path));
  if (netns === undefined || String(netns.cookie) === owner.cookie) return netns;
  netns[Symbol.dispose]();
  return undefined;
}
