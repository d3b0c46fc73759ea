// The `provision` section of a resource configuration: what PFs shall have.

import * as v from "valibot";

import { readConfigObject } from "./config-object.ts";
import { type ConfigProblem, describeValue } from "./config-problems.ts";
import type { PhysicalFunction } from "./inventory.ts";
import { parsePciAddress } from "./pci-address.ts";
import type { DesiredPf } from "./provision-desired.ts";

/** One entry: PFs by name or address, and what they shall have. */
export interface ProvisionEntry extends DesiredPf {
  readonly pfNames: readonly string[];
  readonly rootDevices: readonly string[];
}

const pfName = v.custom<string>(
  (value) => typeof value === "string" && /^[^\s/#]+$/.test(value),
  "a PF's name like ens1f0",
);

const entries = {
  pfNames: v.optional(v.array(pfName, "a list: each a PF's name like ens1f0")),
  rootDevices: v.optional(
    v.array(v.custom<string>(isAddress, "a PF's PCI address like 0000:3b:00.0"), "a list of PCI addresses"),
  ),
  numVfs: v.optional(wholeNumber(0, 65_535)),
  mtu: v.optional(wholeNumber(68, 65_535)),
} as const;

/** The section's entries, and everything that is wrong with it; nothing given is no entry. */
export function readProvision(
  value: unknown,
  path: string,
): { readonly entries: readonly ProvisionEntry[]; readonly problems: readonly ConfigProblem[] } {
  if (value === undefined || value === null) return { entries: [], problems: [] };
  if (!Array.isArray(value))
    return { entries: [], problems: [describeValue(path, "a list of PFs with numVfs or mtu", value)] };
  const results = value.map((one: unknown, at) => readEntry(one, `${path}[${at}]`));
  return {
    entries: results.flatMap(({ entry }) => entry ?? []),
    problems: results.flatMap(({ problems }) => problems),
  };
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

function readEntry(
  value: unknown,
  path: string,
): { readonly entry: ProvisionEntry | undefined; readonly problems: readonly ConfigProblem[] } {
  const { output, problems: own } = readConfigObject(entries, value, { path });
  if (output === undefined) return { entry: undefined, problems: own };
  const { pfNames = [], rootDevices = [], numVfs, mtu } = output;
  const problems = [...own];
  if (own.length === 0 && pfNames.length + rootDevices.length === 0)
    problems.push(describeValue(`${path}.pfNames`, "at least one PF, here or in rootDevices", pfNames));
  if (own.length === 0 && numVfs === undefined && mtu === undefined)
    problems.push(`${path}: expected numVfs or mtu, got neither`);
  return { entry: { pfNames, rootDevices: rootDevices.map(parsePciAddress), numVfs, mtu }, problems };
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
