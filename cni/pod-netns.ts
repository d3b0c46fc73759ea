// The pod's network namespace: where CNI_NETNS leads, and never the host's own.

import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { NetnsError } from "./errors.ts";

/** Throws ERR_CNI_NETNS when there is no namespace at `path`, or it is the one this process runs in. */
export function openPodNetns(host: Pick<Host, "namespaces">, path: string): NetnsHandle {
  const netns = findPodNetns(host, path);
  if (netns !== undefined) return netns;
  throw new NetnsError(`CNI_NETNS: expected a network namespace, got ${path}: there is none`);
}

/** `undefined` when `path` is empty or leads to no namespace (any more). Throws ERR_CNI_NETNS for the one this process runs in. */
export function findPodNetns(host: Pick<Host, "namespaces">, path: string): NetnsHandle | undefined {
  if (path === "") return undefined;
  using own = host.namespaces.own();
  const netns = host.namespaces.open(path);
  if (netns === undefined || netns.cookie !== own.cookie) return netns;
  netns[Symbol.dispose]();
  throw new NetnsError(`CNI_NETNS: expected a pod's network namespace, got the host's own (${path})`);
}
