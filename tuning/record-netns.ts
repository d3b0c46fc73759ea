// The namespace that a record's pod lives in, and its VF's link in there, as the tuning daemon reaches them.

import { join } from "node:path";

import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { resolveInRoot } from "../sriov/root-path.ts";
import { findLinkInside } from "../sriov/vf-locate.ts";

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

/** What `work` gives for the VF's link in there, by its ifindex; `undefined` when namespace or link is gone. */
export function withRecordLink<T>(
  host: Pick<Host, "files" | "paths" | "namespaces" | "openNetlink">,
  record: Pick<Attachment, "owner" | "device">,
  work: (netns: NetnsHandle, index: number) => T,
): T | undefined {
  using netns = openRecordNetns(host, record);
  if (netns === undefined) return undefined;
  using netlink = host.openNetlink(netns);
  const link = findLinkInside(host, netlink, netns, record.device.address);
  return link && work(netns, link.index);
}
