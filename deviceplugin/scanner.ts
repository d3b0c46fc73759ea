// Looks at the node: which VFs there are to offer now, and what is wrong with them.
import type { Host } from "../host/host.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { type Inventory, readInventory } from "../sriov/inventory.ts";
import { findDeviceUse, type NodeNetwork } from "../sriov/node-use.ts";
import type { DeviceId } from "../sriov/aux-device.ts";
import { isPciAddress, type PciAddress } from "../sriov/pci-address.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import { readCandidates } from "../sriov/resource-candidates.ts";
import { buildDeviceTree, type DeviceTree, type OfferedDevice } from "./device-tree.ts";
import { findHealthProblem } from "./health.ts";
import type { KnownDevices } from "./known-devices.ts";
import { findPfsWithoutLink, readAllocatedDevices, readConfigSpace, readLiveRecords } from "./node-facts.ts";

type Node = Pick<Host, "files" | "paths" | "clock" | "openNetlink" | "openDevlink">;

/** What one look finds: what there is to offer, and the PFs that it comes from. */
export interface Scan extends DeviceTree, Pick<Inventory, "pfs"> {}

/** What one look sees, as far as health goes by it. */
interface Sight {
  readonly inventory: Inventory;
  readonly before: KnownDevices;
  readonly records: ReadonlyMap<PciAddress, Attachment>;
  readonly allocated: ReturnType<typeof readAllocatedDevices>;
  readonly pfsWithoutLink: ReadonlyMap<PciAddress, string>;
}

/**
 * Reads sysfs, records, the kubelet's checkpoint, and the links, addresses and routes of this network namespace, which must be
 * the node's. Devices of `before` that are in use stay in their resource, also when they are gone.
 */
export function scanDevices(host: Node, pools: readonly ResourcePool[], before: KnownDevices): Scan {
  const inventory = readInventory(host);
  const network = readNetwork(host);
  const records = readLiveRecords(host);
  const sight = {
    inventory,
    before,
    records,
    allocated: records.size === 0 ? undefined : readAllocatedDevices(host),
    pfsWithoutLink: findPfsWithoutLink(inventory, network.links),
  };
  const candidates = readCandidates(host, asWhenFree(sight), pools);
  const held = new Map(
    [...before].flatMap(([id, { resource }]) => (isInUse(sight, id) ? [[id, resource] as const] : [])),
  );
  const nodeUse = findDeviceUse(
    candidates.map(({ device }) => device),
    network,
  );
  const tree = buildDeviceTree(candidates, nodeUse, pools, held);
  const resources = [...tree.resources].map(([name, { pool, devices }]) => {
    const all = [...devices.values(), ...findVanished(sight, name)];
    const judged = all.map((device) => [device.address, judge(host, sight, pool, device)] as const);
    return [name, { pool, devices: new Map(judged) }] as const;
  });
  return { ...tree, resources: new Map(resources), pfs: inventory.pfs };
}

function readNetwork(host: Pick<Host, "openNetlink">): NodeNetwork {
  using netlink = host.openNetlink();
  return {
    links: netlink.listLinks(),
    addresses: netlink.listAddresses(),
    routes: netlink.listRoutes(),
  };
}

// Another VF at the same address is none of the record's.
function isInUse({ inventory, before, records }: Sight, address: DeviceId): boolean {
  if (!isPciAddress(address)) return false;
  const inode = inventory.vfs.get(address)?.inode ?? before.get(address)?.device?.inode;
  return inode !== undefined && records.get(address)?.device.inode === String(inode);
}

function findVanished(sight: Sight, resource: string): readonly OfferedDevice[] {
  const gone = [...sight.before].filter(
    ([id, known]) =>
      known.resource === resource && isPciAddress(id) && !sight.inventory.vfs.has(id) && isInUse(sight, id),
  );
  return gone.flatMap(([, { device }]) => device ?? []);
}

function judge(host: Node, sight: Sight, pool: ResourcePool, device: OfferedDevice): OfferedDevice {
  const { address, pf } = device;
  if (!isPciAddress(address)) return judgeAux(host, sight, pool, device);
  const vf = sight.inventory.vfs.get(address);
  const record = isInUse(sight, address) ? sight.records.get(address) : undefined;
  const known = sight.before.get(address)?.device;
  const driver = record === undefined ? device.driver : (known?.driver ?? device.driver);
  const givenAs = listGivenAs(sight, address);
  const problem = findHealthProblem({
    isPresent: vf !== undefined,
    configSpace: vf === undefined ? undefined : readConfigSpace(host, address),
    driver: vf?.driver,
    expectedDriver: expectDriver(record, vf?.driver, driver),
    record,
    isAllocated: givenAs && givenAs.length > 0,
    otherResource: givenAs?.includes(pool.name) === true ? undefined : givenAs?.[0],
    pfWithoutLink: findPfWithoutLink(sight, pool, pf),
  });
  return { ...device, driver, owner: record?.owner, problem };
}

/** A subfunction is there when its PF answers; nothing of virtfn attaches it, so there is no record. */
function judgeAux(host: Node, sight: Sight, pool: ResourcePool, device: OfferedDevice): OfferedDevice {
  const { driver, pf } = device;
  const problem = findHealthProblem({
    isPresent: true,
    configSpace: readConfigSpace(host, pf),
    driver,
    expectedDriver: driver,
    record: undefined,
    isAllocated: undefined,
    otherResource: undefined,
    pfWithoutLink: findPfWithoutLink(sight, pool, pf),
  });
  return { ...device, problem };
}

/** The resources as which the kubelet gave it to containers, of pods that are gone, too; `undefined` when that cannot be told. */
function listGivenAs({ allocated }: Sight, address: DeviceId): readonly string[] | undefined {
  return allocated && [...allocated].flatMap(([resource, ids]) => (ids.has(address) ? [resource] : []));
}

function findPfWithoutLink(sight: Sight, pool: ResourcePool, pf: PciAddress): string | undefined {
  return pool.linkDown === "ignore" ? undefined : sight.pfsWithoutLink.get(pf);
}

/** VFs that ADD gave to another driver have the one again that they are selected by: DEL puts it back. */
function asWhenFree(sight: Sight): Inventory {
  const { inventory, records } = sight;
  const vfs = [...inventory.vfs].map(([address, vf]) => {
    const driver = isInUse(sight, address) ? records.get(address)?.original.driver : undefined;
    return [address, driver === undefined ? vf : { ...vf, driver }] as const;
  });
  return { ...inventory, vfs: new Map(vfs) };
}

/** While ADD or DEL changes the driver, any is right: what they cannot do they say themselves. */
function expectDriver(
  record: Attachment | undefined,
  now: string | undefined,
  offered: string | undefined,
): string | undefined {
  const before = record?.original.driver;
  const isChanging = before !== undefined && (record?.state !== "attached" || now === before);
  return isChanging ? now : (record?.applied.driver ?? offered);
}
