// Everything that the checks go by, read once. What could not be read is known not to be known.

import type { Host } from "../../host/host.ts";
import type { DeviceGrant } from "../../kubelet/checkpoint-grants.ts";
import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import { type Advertisement, readAdvertisement } from "../../sriov/advertised-pools.ts";
import { type Attachments, readAttachments } from "../../sriov/attachment-store.ts";
import { type Attachment, isOfThisBoot } from "../../sriov/attachment.ts";
import { type ContestedPin, readContestedPins } from "../../sriov/contested-pins.ts";
import { type Inventory, readInventory } from "../../sriov/inventory.ts";
import { judgeOwner, type OwnerVerdict } from "../../sriov/liveness.ts";
import { type NodeConfig, readNodeConfig } from "../../sriov/node-config.ts";
import { planHomeNames } from "../../sriov/home-name-repair.ts";
import { readOwnerFacts } from "../../sriov/owner-facts.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import { createProcessView } from "../../sriov/processes.ts";
import { listQuarantined, type Quarantined } from "../../sriov/quarantined.ts";
import type { RepairStep } from "../../sriov/repair.ts";
import { isRecordOf, type TunedVector } from "../../sriov/tuning-record.ts";
import { listTuningRecords, readTuningRecord } from "../../sriov/tuning-store.ts";
import { type PfCounters, readVfCounters } from "../../sriov/vf-counters.ts";
import { readVectors, type Vector } from "../../sriov/vectors.ts";
import { type PluginSockets, readPluginSockets } from "../node/plugin-sockets.ts";
import { type CniFacts, type CniFolders, readCniFacts } from "./cni-facts.ts";
import { findHostRoot, type HostView } from "./host-root.ts";
import { type IrqBalancer, readIrqBalancers } from "./irqbalance-facts.ts";
import { type KubeletFacts, readGrants, readKubeletFacts } from "./kubelet-facts.ts";
import { type NamespaceFacts, readNamespaceFacts } from "./namespace-facts.ts";
import { type NetworkFacts, type PfQueues, readNetworkFacts, readPfQueues } from "./network-facts.ts";
import { awaitFact, deriveFact, readFact, type Reading } from "./reading.ts";
import { type KernelFacts, readKernelFacts } from "./system-facts.ts";
import { readVfioFacts, type VfioFacts } from "./vfio-facts.ts";

export type DoctorHost = Pick<
  Host,
  "files" | "paths" | "clock" | "namespaces" | "openNetlink" | "openEthtool" | "localSockets"
>;

export interface DoctorFacts {
  readonly kernel: KernelFacts;
  readonly inventory: Inventory;
  readonly network: NetworkFacts;
  /** Of PFs with VFs. */
  readonly queues: ReadonlyMap<PciAddress, PfQueues>;
  /** What PFs say of the traffic of their VFs. */
  readonly counters: ReadonlyMap<PciAddress, PfCounters>;
  readonly namespaces: NamespaceFacts;
  readonly attachments: Attachments;
  /** Records that were set aside. */
  readonly quarantined: readonly Quarantined[];
  /** Records of this boot. */
  readonly live: readonly Attachment[];
  /** Of every readable record: whether its owner is alive. */
  readonly owners: ReadonlyMap<PciAddress, OwnerVerdict>;
  /** VFs on the host that are not called as before their pods. */
  readonly displaced: readonly RepairStep[];
  readonly vectors: ReadonlyMap<PciAddress, readonly Vector[]>;
  /** Where tuning pinned vectors of VFs that are there. */
  readonly pins: ReadonlyMap<PciAddress, readonly TunedVector[]>;
  /** Pins that tuning lets rest. */
  readonly contested: readonly ContestedPin[];
  readonly irqBalancers: readonly IrqBalancer[];
  readonly vfio: VfioFacts;
  readonly kubelet: KubeletFacts;
  readonly grants: readonly DeviceGrant[];
  /** The kubelet's pods with their devices. */
  readonly pods: readonly PodAllocation[];
  /** `undefined` when no device plugin has looked since the node started. */
  readonly advertised: Advertisement | undefined;
  readonly pluginSockets: PluginSockets;
  readonly cni: CniFacts;
  readonly nodeConfig: NodeConfig;
}

export type DoctorReadings = { readonly [Fact in keyof DoctorFacts]: Reading<DoctorFacts[Fact]> };

export interface DoctorSources {
  readonly folders: CniFolders;
  /** Asks the kubelet; `root` has its socket. Throws ERR_POD_RESOURCES or ERR_SYSTEM_CALL. */
  readonly listPods: (
    host: Pick<DoctorHost, "files" | "paths" | "clock">,
    root: Reading<HostView>,
  ) => Promise<readonly PodAllocation[]>;
}

/** Reads them: never throws for what is not there or not allowed, and changes nothing. */
export async function readDoctorFacts(
  host: DoctorHost,
  { folders, listPods }: DoctorSources,
): Promise<DoctorReadings> {
  const root = findHostRoot(host);
  const inventory = readFact(() => readInventory(host));
  const attachments = readFact(() => readAttachments(host));
  const live = deriveFact(attachments, ({ records }) => listLive(host, records));
  const grants = readFact(() => readGrants(host, root));
  const advertised = readFact(() => readAdvertisement(host));
  return {
    kernel: readFact(() => readKernelFacts(host)),
    inventory,
    network: deriveFact(inventory, (known) => readNetworkFacts(host, known)),
    queues: deriveFact(inventory, (known) => readPfQueues(host, known)),
    counters: deriveFact(inventory, ({ pfs }) => readVfCounters(host, pfs.values())),
    namespaces: deriveFact(inventory, (known) => readNamespaceFacts(host, known)),
    attachments,
    quarantined: readFact(() => listQuarantined(host)),
    live,
    owners: deriveFact(attachments, ({ records }) => judgeOwners(host, records)),
    displaced: readFact(() => planHomeNames(host)),
    vectors: deriveFact(inventory, (known) => readAllVectors(host, known)),
    pins: deriveFact(inventory, (known) => readPins(host, known)),
    contested: readFact(() => readContestedPins(host)),
    irqBalancers: await awaitFact(() => readIrqBalancers(host)),
    vfio: await awaitFact(() => readVfioFacts(host, { inventory, live, grants, advertised })),
    kubelet: deriveFact(root, (known) => readKubeletFacts(known)),
    grants,
    pods: await awaitFact(() => listPods(host, root)),
    advertised,
    pluginSockets: deriveFact(advertised, (known) => readPluginSockets(host, known?.pools ?? new Map())),
    cni: deriveFact(root, (known) => readCniFacts(known, folders)),
    nodeConfig: await awaitFact(() => readNodeConfig(host)),
  };
}

function listLive({ clock }: Pick<Host, "clock">, records: readonly Attachment[]): readonly Attachment[] {
  const bootId = clock.bootId();
  return records.filter((record) => isOfThisBoot(record, bootId));
}

function judgeOwners(
  host: DoctorHost,
  records: readonly Attachment[],
): ReadonlyMap<PciAddress, OwnerVerdict> {
  const processes = createProcessView(host);
  return new Map(
    records.map((record) => [record.device.address, judgeOwner(readOwnerFacts(host, record, processes))]),
  );
}

function readAllVectors(host: DoctorHost, { vfs }: Inventory): DoctorFacts["vectors"] {
  return new Map([...vfs.values()].map((vf) => [vf.address, readVectors(host, vf)]));
}

function readPins(host: DoctorHost, { vfs }: Inventory): DoctorFacts["pins"] {
  const bootId = host.clock.bootId();
  const pins = listTuningRecords(host).flatMap((address) => {
    const vf = vfs.get(address);
    const record = vf === undefined ? undefined : readTuningRecord(host, address);
    const isOurs = vf !== undefined && record !== undefined && isRecordOf(record, vf, bootId);
    return isOurs ? [[address, record.vectors] as const] : [];
  });
  return new Map(pins);
}
