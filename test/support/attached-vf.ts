// The record of a VF in a pod, as the CNI writes it, for tests of what comes after.

import type { Host } from "../../host/host.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import { readVf } from "../../sriov/inventory.ts";
import { parsePciAddress } from "../../sriov/pci-address.ts";

export interface AttachedVf {
  readonly address: string;
  readonly pod: string;
  /** Path of the pod's network namespace. */
  readonly netns: string;
  readonly cookie?: bigint;
  readonly interface?: string;
}

/** A record of this boot, state `attached`, of a pod in namespace `shop`. */
export function makeAttachment(
  host: Pick<Host, "files" | "paths" | "clock">,
  { address, pod, netns, cookie = 1n, interface: name = "net1" }: AttachedVf,
): Attachment {
  const vf = readVf(host, parsePciAddress(address));
  if (vf === undefined) throw new Error(`there is no VF ${address}`);
  return {
    format: "1.0",
    owner: {
      containerId: `container-of-${pod}`,
      attachment: name,
      network: "blue",
      netns,
      cookie: String(cookie),
      pod: { namespace: "shop", name: pod, uid: `uid-of-${pod}` },
    },
    interface: name,
    device: { address: vf.address, pf: vf.pf, vf: vf.index, inode: String(vf.inode) },
    bootId: host.clock.bootId(),
    state: "attached",
    createdAt: "2026-01-01T00:00:00.000Z",
    announce: "done",
    pickedBy: "kubelet",
    original: { altNames: [], queues: [] },
    applied: { addresses: [], routes: [] },
  };
}
