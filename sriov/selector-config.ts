// The grammar of selectors in a resource configuration: which keys each device type has, and what their values are.

import * as v from "valibot";

import { describeValue, type ConfigProblem } from "./config-problems.ts";
import { readConfigObject } from "./config-object.ts";
import { parsePciAddress } from "./pci-address.ts";
import type { DeviceSelector, PfSelector } from "./selector.ts";

/** PCI network devices (class 02), processing accelerators (class 12), or network devices of the auxiliary bus. */
export type DeviceType = "netDevice" | "accelerator" | "auxNetDevice";

export const deviceTypes = ["netDevice", "accelerator", "auxNetDevice"] as const;

const ofAnyDevice = {
  vendors: list(isHexId, "a vendor id of four hex digits, like 8086, in quotes"),
  devices: list(isHexId, "a device id of four hex digits, like 154c, in quotes"),
  drivers: list(isWord, "a driver's name"),
  pciAddresses: list(canParsePciAddress, "a PCI address like 0000:3b:02.1"),
  acpiIndexes: list((text) => /^\d+$/.test(text), "a number, in quotes"),
};

const ofNetwork = {
  pfNames: list(
    (text) => parsePfSelector(text) !== undefined,
    "a PF's name, perhaps with VFs like ens1f0#0,2-7",
  ),
  rootDevices: list(isRootDevice, "a PF's PCI address, perhaps with VFs like 0000:3b:00.0#0,2-7"),
  linkTypes: list(isWord, "a link type like ether or infiniband"),
  isRdma: v.optional(v.boolean("true or false")),
};

const ofNetDevice = {
  ...ofAnyDevice,
  ...ofNetwork,
  ddpProfiles: list(isWord, "the name of a DDP profile"),
  pKeys: list((text) => /^0x[0-9a-f]{1,4}$/i.test(text), "a partition key like 0x8001, in quotes"),
  vdpaType: v.optional(v.picklist(["vhost", "virtio"], '"vhost" or "virtio"')),
  needVhostNet: v.optional(v.boolean("true or false")),
};

const ofAuxDevice = { ...ofAnyDevice, ...ofNetwork, auxTypes: list((text) => text === "sf", '"sf"') };

/** The selector keys of each device type. */
const selectorEntries = { netDevice: ofNetDevice, accelerator: ofAnyDevice, auxNetDevice: ofAuxDevice };

/** A selector that every device fits. */
export const anyDevice: DeviceSelector = {
  vendors: [],
  devices: [],
  drivers: [],
  pciAddresses: [],
  acpiIndexes: [],
  pfNames: [],
  rootDevices: [],
  linkTypes: [],
  ddpProfiles: [],
  pKeys: [],
  auxTypes: [],
  isRdma: false,
  vdpaType: undefined,
  needVhostNet: false,
};

/** `selectors` of a resource: one object, a list of them, or nothing, which selects every device of the type. */
export function readSelectors(
  deviceType: DeviceType,
  value: unknown,
  path: string,
): { readonly selectors: readonly DeviceSelector[]; readonly problems: readonly ConfigProblem[] } {
  if (value === undefined || value === null) return { selectors: [anyDevice], problems: [] };
  if (!Array.isArray(value)) {
    const { selector, problems } = readSelector(deviceType, value, path);
    return { selectors: selector === undefined ? [] : [selector], problems };
  }
  const results = value.map((one, at) => readSelector(deviceType, one, `${path}[${at}]`));
  const problems = results.flatMap((result) => result.problems);
  if (results.length === 0) problems.push(describeValue(path, "at least one selector", value));
  return { selectors: results.flatMap(({ selector }) => selector ?? []), problems };
}

function readSelector(
  deviceType: DeviceType,
  value: unknown,
  path: string,
): { readonly selector: DeviceSelector | undefined; readonly problems: readonly ConfigProblem[] } {
  const entries: Readonly<Record<string, v.GenericSchema>> = selectorEntries[deviceType];
  const { output, problems } = readConfigObject(entries, value, { path });
  if (output === undefined) return { selector: undefined, problems };
  const given = output as Partial<v.InferOutput<v.ObjectSchema<typeof ofNetDevice, undefined>>> &
    Pick<v.InferOutput<v.ObjectSchema<typeof ofAuxDevice, undefined>>, "auxTypes">;
  const selector: DeviceSelector = {
    vendors: (given.vendors ?? []).map(toLower),
    devices: (given.devices ?? []).map(toLower),
    drivers: given.drivers ?? [],
    pciAddresses: (given.pciAddresses ?? []).map(parsePciAddress),
    acpiIndexes: given.acpiIndexes ?? [],
    pfNames: (given.pfNames ?? []).flatMap((text) => parsePfSelector(text) ?? []),
    rootDevices: (given.rootDevices ?? []).flatMap((text) => parseRootDevice(text) ?? []),
    linkTypes: (given.linkTypes ?? []).map(toLower),
    ddpProfiles: given.ddpProfiles ?? [],
    pKeys: (given.pKeys ?? []).map(Number),
    auxTypes: given.auxTypes ?? [],
    isRdma: given.isRdma ?? false,
    vdpaType: given.vdpaType,
    needVhostNet: given.needVhostNet ?? false,
  };
  if (!selector.isRdma || selector.vdpaType === undefined) return { selector, problems };
  return {
    selector,
    problems: [`${path}.vdpaType: expected nothing beside isRdma: a device is one or the other`],
  };
}

/** "ens1f0", "ens1f0#0,2-7": a PF and indexes of its VFs, both ends included; `undefined` when it is none. */
export function parsePfSelector(text: string): PfSelector | undefined {
  const [pf = "", indexes, ...rest] = text.split("#");
  if (pf === "" || /[\s/]/.test(pf) || rest.length > 0) return undefined;
  const ranges = indexes === undefined ? [] : indexes.split(",").map(parseRange);
  const isComplete = ranges.every((range) => range !== undefined);
  return isComplete ? { pf: pf.toLowerCase(), ranges } : undefined;
}

function parseRange(text: string): PfSelector["ranges"][number] | undefined {
  const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first <= last ? { first, last } : undefined;
}

function parseRootDevice(text: string): PfSelector | undefined {
  const parsed = parsePfSelector(text);
  return parsed && canParsePciAddress(parsed.pf) ? { ...parsed, pf: parsePciAddress(parsed.pf) } : undefined;
}

function list(
  isItem: (text: string) => boolean,
  expected: string,
): v.GenericSchema<readonly string[] | undefined> {
  const item = v.custom<string>((value) => typeof value === "string" && isItem(value), expected);
  return v.optional(v.array(item, `a list: each ${expected}`));
}

function isHexId(text: string): boolean {
  return /^[0-9a-f]{4}$/i.test(text);
}

function isWord(text: string): boolean {
  return text !== "" && text === text.trim();
}

function isRootDevice(text: string): boolean {
  return parseRootDevice(text) !== undefined;
}

function canParsePciAddress(text: string): boolean {
  try {
    return parsePciAddress(text) !== undefined;
  } catch {
    return false;
  }
}

function toLower(text: string): string {
  return text.toLowerCase();
}
