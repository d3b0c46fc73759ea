// Reads what the node's files and kernel tell of its VFs, for the commands that look and change nothing.

import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import type { Link, VfInfo } from "../../host/netlink/netlink.ts";
import { type Checkpoint, readCheckpoint } from "../../kubelet/checkpoint.ts";
import type { DeviceGrant } from "../../kubelet/checkpoint-grants.ts";
import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import { type Advertisement, readAdvertisement } from "../../sriov/advertised-pools.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import { type AuxDevice, readAuxDevices } from "../../sriov/aux-device.ts";
import { type Attachments, readAttachments } from "../../sriov/attachment-store.ts";
import { type ContestedPin, readContestedPins } from "../../sriov/contested-pins.ts";
import { SriovError } from "../../sriov/errors.ts";
import { type InterruptRates, measureInterrupts } from "../../sriov/interrupt-rates.ts";
import { type Inventory, readInventory } from "../../sriov/inventory.ts";
import { findNodeUse } from "../../sriov/node-use.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import { listTuningRecords, readTuningRecord } from "../../sriov/tuning-store.ts";
import { readTuningProblems, type TuningProblem } from "../../sriov/tuning-problems.ts";
import type { TuningRecord } from "../../sriov/tuning-record.ts";
import { readVectors, type Vector } from "../../sriov/vectors.ts";
import type { PolicyReport } from "../../tuning/policy-report.ts";
import { isPluginAway } from "./plugin-sockets.ts";
import { readPolicies } from "./policies.ts";
import { readPodAllocations } from "./pod-allocations.ts";

export type Eyes = Pick<Host, "files" | "paths" | "clock" | "openNetlink" | "localSockets">;

/** The node at one moment. What could not be read is told in `problems` and left empty. */
export interface NodeFacts {
  readonly inventory: Inventory;
  /** Subfunctions. */
  readonly auxDevices: readonly AuxDevice[];
  /** Of this process's network namespace, which must be the node's. */
  readonly links: readonly Link[];
  /** VFs as their PF reports them, by PF. */
  readonly vfInfos: ReadonlyMap<PciAddress, readonly VfInfo[]>;
  /** VFs that the node lives on, with the reason. */
  readonly nodeUse: ReadonlyMap<PciAddress, string>;
  readonly bootId: string;
  readonly records: readonly Attachment[];
  readonly unreadable: Attachments["unreadable"];
  readonly vectors: ReadonlyMap<PciAddress, readonly Vector[]>;
  /** Of VFs in pods: where their interrupts may go, as tuning will have it. */
  readonly policies: ReadonlyMap<PciAddress, PolicyReport>;
  /** How often interrupts come now; `undefined` where nobody waited for that. */
  readonly rates: InterruptRates | undefined;
  readonly tuned: ReadonlyMap<PciAddress, TuningRecord>;
  /** What the daemon could not do in its last look. */
  readonly tuningProblems: readonly TuningProblem[];
  /** Pins that tuning leaves alone for a while. */
  readonly contested: readonly ContestedPin[];
  /** What the device plugin offered last; `undefined` when none ran since boot, or its list cannot be read. */
  readonly advertised: Advertisement | undefined;
  readonly hasAdvertisement: boolean;
  /** Nobody serves what is offered; false where that cannot be told. */
  readonly isPluginAway: boolean;
  readonly checkpoint: Checkpoint | undefined;
  /** What the kubelet gives containers at each start. */
  readonly grants: readonly DeviceGrant[];
  /** The kubelet's running pods; `undefined` when it cannot be asked. */
  readonly pods: readonly PodAllocation[] | undefined;
  readonly problems: readonly string[];
}

/** Looks at the node. A missing kubelet, API server or daemon is no error. `isMeasured`: takes a second, for the rates. */
export async function readNodeFacts(
  host: Eyes,
  { isMeasured }: { readonly isMeasured: boolean },
): Promise<NodeFacts> {
  const problems: string[] = [];
  function attempt<T, E>(read: () => T, empty: E): T | E {
    try {
      return read();
    } catch (error) {
      problems.push(describeKnownError(error));
      return empty;
    }
  }
  const inventory = readInventory(host);
  const network = attempt(() => readNetwork(host, inventory), noNetwork);
  const { records, unreadable } = attempt(() => readAttachments(host), { records: [], unreadable: [] });
  const vectors = [...inventory.vfs.values()].map(
    (vf) => [vf.address, attempt(() => readVectors(host, vf), [])] as const,
  );
  const held = records.filter(
    ({ bootId, state }) => state === "attached" && attempt(() => bootId === host.clock.bootId(), false),
  );
  const policies = await readPolicies(host, inventory.vfs, held).catch((error: unknown) => {
    problems.push(describeKnownError(error));
    return new Map<PciAddress, PolicyReport>();
  });
  const tuned = attempt(() => listTuningRecords(host), []).flatMap((address) => {
    const record = attempt(() => readTuningRecord(host, address), undefined);
    return record === undefined ? [] : [[address, record] as const];
  });
  const advertised = attempt(() => readAdvertisement(host), undefined);
  return {
    inventory,
    auxDevices: attempt(() => readAuxDevices(host), []),
    ...network,
    nodeUse: findNodeUse(inventory, network),
    bootId: attempt(() => host.clock.bootId(), ""),
    records,
    unreadable,
    vectors: new Map(vectors),
    policies,
    rates: isMeasured ? await measureInterrupts(host) : undefined,
    tuned: new Map(tuned),
    tuningProblems: attempt(() => readTuningProblems(host), []),
    contested: attempt(() => readContestedPins(host), []),
    advertised,
    isPluginAway: isPluginAway(host, advertised?.pools ?? new Map()),
    hasAdvertisement: attempt(() => host.files.stat(host.paths.pools) !== undefined, true),
    checkpoint: attempt(() => readCheckpoint(host), undefined),
    grants: await readGrants(host, problems),
    pods: await readPodAllocations(host, problems),
    problems,
  };
}

// Loads gRPC: not where no device plugin ever registered.
async function readGrants(host: Eyes, problems: string[]): Promise<readonly DeviceGrant[]> {
  try {
    if (host.files.stat(host.paths.kubelet.checkpoint) === undefined) return [];
    const { readDeviceGrants } = await import("../../kubelet/checkpoint-grants.ts");
    return readDeviceGrants(host);
  } catch (error) {
    const problem = describeKnownError(error);
    if (!problems.includes(problem)) problems.push(problem);
    return [];
  }
}

/** The message of an error of ours; anything else is a defect and thrown on. */
function describeKnownError(error: unknown): string {
  if (error instanceof HostError || error instanceof SriovError) return error.message;
  throw error;
}

const noNetwork = { links: [], addresses: [], routes: [], vfInfos: new Map<PciAddress, readonly VfInfo[]>() };

function readNetwork(host: Pick<Host, "openNetlink">, { pfs }: Inventory) {
  using netlink = host.openNetlink();
  const links = netlink.listLinks();
  const vfInfos = [...pfs.values()].flatMap(({ address, netdevs }) => {
    const link = links.find(({ name }) => name === netdevs[0]);
    return link === undefined ? [] : [[address, netlink.listVfs(link.index)] as const];
  });
  return {
    links,
    addresses: netlink.listAddresses(),
    routes: netlink.listRoutes(),
    vfInfos: new Map(vfInfos),
  };
}
