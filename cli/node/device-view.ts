// What each PF and VF of the node is, from the facts: whose, how healthy, and if it is not offered, why.

import type { VfInfo } from "../../host/netlink/netlink.ts";
import { type Attachment, isOfThisBoot } from "../../sriov/attachment.ts";
import type { ContestedPin } from "../../sriov/contested-pins.ts";
import type { PhysicalFunction, VirtualFunction } from "../../sriov/inventory.ts";
import { formatVectorRole } from "../../sriov/irq-role.ts";
import { comparePciAddress, isPciAddress, type PciAddress } from "../../sriov/pci-address.ts";
import { findStaleGrants } from "../../sriov/stale-groups.ts";
import { isRecordOf } from "../../sriov/tuning-record.ts";
import type { TuningProblem } from "../../sriov/tuning-problems.ts";
import type { PolicyReport } from "../../tuning/policy-report.ts";
import type { NodeFacts } from "./facts.ts";
import { findPodOf } from "./pod-allocations.ts";
import { type SubfunctionView, viewSubfunctions } from "./subfunction-view.ts";

export interface PfView extends Pick<
  PhysicalFunction,
  "address" | "driver" | "numaNode" | "numVfs" | "totalVfs"
> {
  /** On the host; `undefined` when it is elsewhere, or has none. */
  readonly interface: string | undefined;
  readonly link: "up" | "down" | "unknown";
  readonly mtu: number | undefined;
  /** Why no pod is given it. */
  readonly reason: string;
}

export type VfHealth = "healthy" | "unhealthy" | "left out";

export interface IrqView {
  readonly irq: number;
  /** "rx 0", "rx+tx 3", "other", "unknown". */
  readonly role: string;
  /** CPUs that it may go to; empty until the driver registered a handler. */
  readonly cpus: readonly number[];
  /** The CPU that the hardware was told. */
  readonly effective: readonly number[];
  /** The CPU that tuning put it on. */
  readonly pinnedTo: number | undefined;
  /** While it was watched, where it was: how often it came, and on which CPUs. */
  readonly perSecond: number | undefined;
  readonly cameOn: readonly number[] | undefined;
}

export interface VfView {
  readonly address: PciAddress;
  readonly pf: PciAddress | undefined;
  readonly pfInterface: string | undefined;
  readonly index: number | undefined;
  readonly driver: string | undefined;
  readonly numaNode: number | undefined;
  readonly resource: string | undefined;
  readonly health: VfHealth;
  readonly reason: string | undefined;
  readonly pod: { readonly namespace: string; readonly name: string } | undefined;
  readonly containerId: string | undefined;
  /** In the pod, else on the host. */
  readonly interface: string | undefined;
  readonly mac: string | undefined;
  /** 0 is none; `undefined` where the PF does not tell. */
  readonly vlan: number | undefined;
  readonly irqs: readonly IrqView[];
  /** Where its interrupts may go; `undefined` for one that no pod has. */
  readonly policy: PolicyReport | undefined;
}

export interface NodeView {
  readonly pfs: readonly PfView[];
  /** In PCI order, with those that are gone and still offered or in a record. */
  readonly vfs: readonly VfView[];
  readonly subfunctions: readonly SubfunctionView[];
  /** Interrupts that tuning leaves alone for a while, since something undoes their pins. */
  readonly contested: readonly ContestedPin[];
  /** What the tuning daemon could not do in its last look. */
  readonly tuning: readonly TuningProblem[];
  readonly problems: readonly string[];
}

const pluginAway =
  "the device plugin does not run: nobody serves its sockets, and what stands here of resources and health it said last";

/** The view of the facts. */
export function viewNode(facts: NodeFacts): NodeView {
  const { inventory, advertised, records } = facts;
  const addresses = new Set([
    ...inventory.vfs.keys(),
    ...[...(advertised?.pools.values() ?? [])].flat().filter(isPciAddress),
    ...records.filter((record) => isOfThisBoot(record, facts.bootId)).map(({ device }) => device.address),
  ]);
  return {
    pfs: [...inventory.pfs.values()].map((pf) => viewPf(facts, pf)),
    vfs: [...addresses].toSorted(comparePciAddress).map((address) => viewVf(facts, address)),
    subfunctions: viewSubfunctions(facts),
    contested: facts.contested,
    tuning: facts.tuningProblems,
    problems: [
      ...(facts.isPluginAway ? [pluginAway] : []),
      ...facts.problems,
      ...facts.unreadable.map(({ error }) => error.message),
      ...listStaleGroups(facts),
    ],
  };
}

/** Pods that the kubelet gives another group than their VF's, since the node booted again. */
function listStaleGroups({ grants, inventory, pods }: NodeFacts): readonly string[] {
  return findStaleGrants(grants, inventory.vfs).flatMap(({ grant, given, now }) => {
    const pod = pods === undefined ? undefined : findPodOf(pods, grant);
    // The kubelet keeps what pods had that are gone.
    if (pod === undefined && pods !== undefined) return [];
    const who = pod === undefined ? `UID ${grant.podUid}` : `${pod.namespace}/${pod.name}`;
    const what = `is given the VFIO group ${given.join(", ")}, ${grant.ids.join(", ")} has ${now.join(", ") || "none"}`;
    return [`container ${grant.container} of pod ${who} ${what} since the node booted again: delete the pod`];
  });
}

/** The record that says who has the VF now: of this boot, and of this very VF or of one that is gone. */
function findRecord(facts: NodeFacts, address: PciAddress): Attachment | undefined {
  const vf = facts.inventory.vfs.get(address);
  return facts.records.find(
    ({ device, bootId }) =>
      device.address === address &&
      isOfThisBoot({ bootId }, facts.bootId) &&
      (vf === undefined || device.inode === String(vf.inode)),
  );
}

function viewPf({ links }: NodeFacts, pf: PhysicalFunction): PfView {
  const { address, driver, numaNode, numVfs, totalVfs, netdevs } = pf;
  const link = links.find(({ name }) => name === netdevs[0]);
  const reason = numVfs > 0 ? "a PF with VFs: pods are given those" : "a PF without VFs: none were made";
  const state = link?.hasCarrier === true ? "up" : "down";
  return {
    address,
    driver,
    numaNode,
    numVfs,
    totalVfs,
    interface: link?.name,
    link: link === undefined ? "unknown" : state,
    mtu: link?.mtu,
    reason,
  };
}

function viewVf(facts: NodeFacts, address: PciAddress): VfView {
  const vf = facts.inventory.vfs.get(address);
  const record = findRecord(facts, address);
  const pf = vf?.pf ?? record?.device.pf;
  const index = vf?.index ?? record?.device.vf;
  const info = pf === undefined ? undefined : facts.vfInfos.get(pf)?.find((found) => found.vf === index);
  const resource = findResource(facts, address);
  return {
    address,
    pf,
    pfInterface: pf === undefined ? undefined : facts.inventory.pfs.get(pf)?.netdevs[0],
    index,
    driver: vf?.driver,
    numaNode: vf?.numaNode,
    resource,
    ...judgeVf(facts, address, { vf, record, resource }),
    pod: record?.owner.pod ?? findKubeletPod(facts, address, resource),
    containerId: record?.owner.containerId,
    interface: record?.interface ?? vf?.netdevs[0],
    mac: findMac(facts, vf, record, info),
    vlan: info?.vlan,
    irqs: viewIrqs(facts, vf),
    policy: record === undefined ? undefined : facts.policies.get(address),
  };
}

function findResource({ advertised }: NodeFacts, address: PciAddress): string | undefined {
  return [...(advertised?.pools ?? [])].find(([, ids]) => ids.includes(address))?.[0];
}

function judgeVf(
  facts: NodeFacts,
  address: PciAddress,
  {
    vf,
    record,
    resource,
  }: Pick<VfView, "resource"> & {
    readonly vf: VirtualFunction | undefined;
    readonly record: Attachment | undefined;
  },
): Pick<VfView, "health" | "reason"> {
  const { advertised, nodeUse } = facts;
  if (vf === undefined) return { health: "unhealthy", reason: "the VF is gone from the PCI bus" };
  if (resource !== undefined) {
    const problem = advertised?.unhealthy.get(address);
    return { health: problem === undefined ? "healthy" : "unhealthy", reason: problem?.reason };
  }
  const outside = record?.pickedBy === "cni" ? "taken outside the kubelet" : undefined;
  const reason = outside ?? nodeUse.get(address) ?? advertised?.leftOut.get(address);
  return { health: "left out", reason: reason ?? whyNotOffered(facts, vf) };
}

function whyNotOffered({ advertised, hasAdvertisement }: NodeFacts, { driver }: VirtualFunction): string {
  if (driver === undefined) return "no driver";
  if (advertised !== undefined) return "the device plugin has not seen it yet";
  return hasAdvertisement
    ? "what the device plugin offers cannot be read"
    : "no device plugin has looked since the node started";
}

/** A pod that the kubelet gave the VF to, by its PodResources. */
function findKubeletPod(
  { pods }: NodeFacts,
  address: PciAddress,
  resource: string | undefined,
): VfView["pod"] {
  const has = pods && resource !== undefined ? findPodOf(pods, { resource, ids: [address] }) : undefined;
  return has && { namespace: has.namespace, name: has.name };
}

/** The MAC that frames of the VF carry, as far as it is known without looking into the pod. */
function findMac(
  { links }: NodeFacts,
  vf: VirtualFunction | undefined,
  record: Attachment | undefined,
  info: VfInfo | undefined,
): string | undefined {
  const here = links.find(({ name }) => name === vf?.netdevs[0])?.mac;
  const onPf = info?.mac === "00:00:00:00:00:00" ? undefined : info?.mac;
  return here ?? record?.applied.mac ?? onPf ?? record?.original.mac;
}

function viewIrqs(
  { vectors, tuned, bootId, rates }: NodeFacts,
  vf: VirtualFunction | undefined,
): readonly IrqView[] {
  if (vf === undefined) return [];
  const record = tuned.get(vf.address);
  const pins = record !== undefined && isRecordOf(record, vf, bootId) ? record.vectors : [];
  return (vectors.get(vf.address) ?? []).map(({ irq, msiIndex, affinity, effective, role }) => ({
    irq,
    role: formatVectorRole(role),
    cpus: affinity ?? [],
    effective,
    perSecond: rates && (rates.get(irq)?.perSecond ?? 0),
    cameOn: rates && (rates.get(irq)?.cpus ?? []),
    pinnedTo: pins.find((pin) => pin.msiIndex === msiIndex)?.cpu,
  }));
}
