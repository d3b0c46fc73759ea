// The pod's network namespace: where CNI_NETNS leads, and never the one that this process runs in.

import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { NetnsError } from "./errors.ts";

/**
 * Throws ERR_CNI_NETNS when there is no namespace at `path`, or it is the one that this process runs in: a VF in there is in no pod,
 * so CNI_NETNS_OVERRIDE, by which plugins may work in their own, changes nothing.
 */
export function openPodNetns(host: Pick<Host, "namespaces">, path: string): NetnsHandle {
  const { netns, isOwn } = findPodNetns(host, path);
  if (isOwn)
    throw new NetnsError(
      `CNI_NETNS: expected a pod's network namespace, got the host's own (${path}), also with CNI_NETNS_OVERRIDE`,
    );
  if (netns !== undefined) return netns;
  throw new NetnsError(`CNI_NETNS: expected a network namespace, got ${path}: there is none`);
}

/** `netns` is undefined when `path` is empty, leads to no namespace (any more), or to the one that this process runs in. */
export function findPodNetns(
  host: Pick<Host, "namespaces">,
  path: string,
): { readonly netns: NetnsHandle | undefined; readonly isOwn: boolean } {
  if (path === "") return { netns: undefined, isOwn: false };
  using own = host.namespaces.own();
  const netns = host.namespaces.open(path);
  if (netns === undefined || netns.cookie !== own.cookie) return { netns, isOwn: false };
  netns[Symbol.dispose]();
  return { netns: undefined, isOwn: true };
}

/** Throws ERR_CNI_NETNS when this process runs in the namespace of one of the owners: what is there is not on the host. */
export function checkOutside(
  host: Pick<Host, "namespaces">,
  records: readonly Pick<Attachment, "owner">[],
): void {
  using own = host.namespaces.own();
  const inside = records.find(({ owner }) => owner.cookie === String(own.cookie));
  if (inside === undefined) return;
  throw new NetnsError(
    `expected to run in the host's network namespace; this process runs in the namespace of the pod (${inside.owner.netns})`,
  );
}
