// A fake node for the commands that look: VFs in pods and free, offered and left out, with what the device plugin said of them.

import { type AdvertisedDetails, formatAdvertisedPools } from "../../sriov/advertised-pools.ts";
import { type Attachment } from "../../sriov/attachment.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import { writeTuningRecord } from "../../sriov/tuning-store.ts";
import { readVf } from "../../sriov/inventory.ts";
import { createTuningNode, type TuningNode } from "./tuning-node.ts";

/** What the device plugin wrote down: devices by resource, reasons by VF. */
export interface Offered {
  readonly pools: Readonly<Record<string, readonly PciAddress[]>>;
  readonly unhealthy?: Readonly<Record<string, string>>;
  readonly leftOut?: Readonly<Record<string, string>>;
  readonly rules?: AdvertisedDetails["rules"];
}

/** Writes pools.json of the node. */
export function offer({ host }: Pick<TuningNode, "host">, offered: Offered): void {
  const { pools, unhealthy = {}, leftOut = {}, rules = new Map() } = offered;
  const problems = Object.entries(unhealthy).map(([id, reason]) => [id, { code: "link", reason }] as const);
  const details = {
    unhealthy: new Map(problems),
    leftOut: new Map(Object.entries(leftOut)),
    rules,
  };
  host.files.writeAtomic(host.paths.pools, formatAdvertisedPools(new Map(Object.entries(pools)), details));
}

/**
 * Six VFs: 0 is healthy and in the pod web-1 with a VLAN and two pinned interrupts, 1 is free, 2 unhealthy, 3 left out by the
 * device plugin, 4 taken outside the kubelet by the pod odd, 5 not seen by the device plugin yet.
 */
export function createStatusNode(): TuningNode {
  const node = createTuningNode(6);
  const [vf0, vf1, vf2, vf3] = [node.address(0), node.address(1), node.address(2), node.address(3)];
  node.attach(0, "web-1", (record: Attachment) => ({
    ...record,
    applied: { ...record.applied, mac: "02:00:00:00:aa:01" },
  }));
  node.attach(4, "odd", (record) => ({ ...record, pickedBy: "cni" }));
  using netlink = node.host.openNetlink();
  const pf = netlink.getLink({ name: "ens1f0" });
  netlink.setVf(pf?.index ?? 0, 0, { set: "vlan", vlan: 100, qos: 0, vlanProto: "802.1q" });
  for (const [at, irq] of node.irqs(0).slice(0, 2).entries())
    node.host.files.writeText(`${node.host.paths.proc}/irq/${irq}/smp_affinity_list`, `${at}`);
  writeTuningRecord(node.host, {
    address: vf0,
    bootId: node.host.clock.bootId(),
    inode: String(readVf(node.host, vf0)?.inode),
    vectors: [0, 1].map((at) => ({ msiIndex: at, original: "0-3", cpu: at })),
  });
  offer(node, {
    pools: { "sriov/vf": [vf0, vf1, vf2] },
    unhealthy: { [vf2]: "the PF ens1f0 has no link" },
    leftOut: { [vf3]: "default route through ens1f0v3" },
  });
  return node;
}
