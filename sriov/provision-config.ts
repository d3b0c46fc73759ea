// The `provision` section of a resource configuration: what PFs shall have, and which driver the VFs of a resource.

import * as v from "valibot";

import { readConfigObject } from "./config-object.ts";
import { type ConfigProblem, describeValue } from "./config-problems.ts";
import type { DriverKind } from "./driver.ts";
import { isUserspaceDriver, type PhysicalFunction } from "./inventory.ts";
import { parsePciAddress } from "./pci-address.ts";
import type { DesiredPf } from "./provision-desired.ts";
import type { DeviceSelector } from "./selector.ts";

/** PFs by name or address, and what they shall have. */
export interface ProvisionEntry extends DesiredPf {
  readonly pfNames: readonly string[];
  readonly rootDevices: readonly string[];
}

/** The section; nothing of it is empty. */
export interface ProvisionSection {
  readonly pfs: readonly ProvisionEntry[];
  /** By resource name ("sriov/vf"): the driver that all its VFs shall have. */
  readonly drivers: ReadonlyMap<string, DriverKind>;
}

const pfName = v.custom<string>(
  (value) => typeof value === "string" && /^[^\s/#]+$/.test(value),
  "a PF's name like ens1f0",
);

const pfEntries = {
  pfNames: v.optional(v.array(pfName, "a list: each a PF's name like ens1f0")),
  rootDevices: v.optional(
    v.array(v.custom<string>(isAddress, "a PF's PCI address like 0000:3b:00.0"), "a list of PCI addresses"),
  ),
  numVfs: v.optional(wholeNumber(0, 65_535)),
  mtu: v.optional(wholeNumber(68, 65_535)),
} as const;

const driverEntries = {
  resourceName: v.string("the name of a resource of resourceList"),
  driver: v.picklist(["kernel", "vfio-pci"], "kernel or vfio-pci"),
} as const;

/** What the section needs to know of a resource. */
interface NamedPool {
  readonly name: string;
  readonly selectors: readonly Pick<DeviceSelector, "drivers">[];
}

type Problems = readonly ConfigProblem[];

/** The section, and everything that is wrong with it; `pools` are the resources of the same file, and nothing given asks for nothing. */
export function readProvision(
  value: unknown,
  path: string,
  pools: readonly NamedPool[],
): { readonly section: ProvisionSection; readonly problems: Problems } {
  const list = value ?? [];
  if (!Array.isArray(list)) {
    const expected = "a list of PFs with numVfs or mtu, and of resources with driver";
    return {
      section: { pfs: [], drivers: new Map() },
      problems: [describeValue(path, expected, list)],
    };
  }
  const pfs: ProvisionEntry[] = [];
  const drivers = new Map<string, DriverKind>();
  const known = indexPools(pools);
  const problems = list.flatMap((one: unknown, at) => {
    const place = `${path}[${at}]`;
    return isOfResource(one)
      ? readDriverEntry(one, { path: place, known, drivers })
      : readPfEntry(one, place, pfs);
  });
  return { section: { pfs, drivers }, problems };
}

/** The first entry that names the PF. */
export function findProvisionEntry(
  all: readonly ProvisionEntry[],
  pf: Pick<PhysicalFunction, "address" | "netdevs">,
): ProvisionEntry | undefined {
  const names = new Set(pf.netdevs.map((name) => name.toLowerCase()));
  return all.find(
    ({ pfNames, rootDevices }) =>
      pfNames.some((name) => names.has(name.toLowerCase())) || rootDevices.includes(pf.address),
  );
}

// Key case is ignored, as everywhere in the file.
function isOfResource(value: unknown): boolean {
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  return keys.some((key) => ["resourcename", "driver"].includes(key.toLowerCase()));
}

function readPfEntry(value: unknown, path: string, pfs: ProvisionEntry[]): Problems {
  const { output, problems } = readConfigObject(pfEntries, value, { path });
  if (output === undefined || problems.length > 0) return problems;
  const { pfNames = [], rootDevices = [], numVfs, mtu } = output;
  pfs.push({ pfNames, rootDevices: rootDevices.map(parsePciAddress), numVfs, mtu });
  return [
    ...(pfNames.length + rootDevices.length === 0
      ? [describeValue(`${path}.pfNames`, "at least one PF, here or in rootDevices", pfNames)]
      : []),
    ...(numVfs === undefined && mtu === undefined ? [`${path}: expected numVfs or mtu, got neither`] : []),
  ];
}

interface KnownPools {
  /** By the whole name, and by the part behind the prefix, which several may have. */
  readonly byName: ReadonlyMap<string, readonly NamedPool[]>;
  readonly words: string;
}

function indexPools(pools: readonly NamedPool[]): KnownPools {
  const entries = pools.flatMap((pool) =>
    [pool.name, pool.name.slice(pool.name.indexOf("/") + 1)].map((name) => ({ name, pool })),
  );
  const groups = Map.groupBy(entries, ({ name }) => name);
  const names = pools.map(({ name }) => name);
  const more = names.length > 10 ? [`${names.length - 10} more`] : [];
  return {
    byName: new Map([...groups].map(([name, group]) => [name, group.map(({ pool }) => pool)])),
    words: [...names.slice(0, 10), ...more].join(", ") || "it has none",
  };
}

interface DriverPlace {
  readonly path: string;
  readonly known: KnownPools;
  readonly drivers: Map<string, DriverKind>;
}

function readDriverEntry(value: unknown, { path, known, drivers }: DriverPlace): Problems {
  const { output, problems } = readConfigObject(driverEntries, value, { path });
  const { resourceName, driver } = output ?? {};
  if (resourceName === undefined || driver === undefined || problems.length > 0) return problems;
  const named = known.byName.get(resourceName) ?? [];
  const [pool] = named;
  if (pool === undefined || named.length > 1)
    return [
      describeValue(`${path}.resourceName`, `one resource of resourceList (${known.words})`, resourceName),
    ];
  if (drivers.has(pool.name))
    return [describeValue(`${path}.resourceName`, "each resource once", resourceName)];
  drivers.set(pool.name, driver);
  const deaf = pool.selectors.filter(({ drivers: taken }) => !canBeOf(taken, driver));
  return deaf.map(({ drivers: taken }) =>
    describeValue(`${path}.driver`, `a driver that ${pool.name} selects (${taken.join(", ")})`, driver),
  );
}

/** Whether a selector still selects a VF that has got such a driver. */
function canBeOf(taken: readonly string[], driver: DriverKind): boolean {
  if (taken.length === 0) return true;
  return taken.some((name) => (driver === "kernel" ? !isUserspaceDriver(name) : name === driver));
}

function isAddress(value: unknown): boolean {
  try {
    return typeof value === "string" && parsePciAddress(value) !== undefined;
  } catch {
    return false;
  }
}

function wholeNumber(least: number, most: number): v.GenericSchema<number> {
  return v.custom<number>(
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    `a whole number from ${least} to ${most}`,
  );
}
