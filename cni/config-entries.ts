// The keys of a network configuration and what may be in each: the settings of one network, and what stands beside them.

import * as v from "valibot";

import { isLogPath } from "../host/paths.ts";
import { networkEntries } from "../sriov/network-entries.ts";
import { networkNames } from "./config-keys.ts";
import { resultSchema } from "./result.ts";
import { countBytes, isInterfaceName } from "./variables.ts";

const anyObject = v.optional(v.custom<Readonly<Record<string, unknown>>>(isObject, "an object"));
const networkName = v.pipe(
  v.string("letters, digits, _, . and -"),
  v.regex(networkNames, "letters, digits, _, . and -, starting with a letter or digit"),
);
const logFileText = "a file below /var/log, without ..";
const prefixText = "at most 13 bytes that an interface name may start with";

/** Keys of one network: in `networks`, or at the top when there is no list. */
export const podNetworkEntries = {
  ...networkEntries,
  resource: v.optional(
    v.pipe(v.string("a resource name"), v.regex(/^[^/\s]+\/[^/\s]+$/, "a resource name like sriov/vf")),
  ),
  ifNamePrefix: v.optional(v.pipe(v.string(prefixText), v.check(isPrefix, prefixText))),
} as const;

const logLevels = ["panic", "fatal", "error", "warning", "info", "debug", "verbose"] as const;

/** sriov-cni's words, and those of the library that it logs by. */
export type LogLevel = (typeof logLevels)[number];

/** Keys at the top. */
export const configEntries = {
  ...podNetworkEntries,
  cniVersion: v.unknown(),
  name: networkName,
  type: v.optional(v.string("a plugin's name")),
  deviceID: v.optional(v.string("a PCI address")),
  pciBusID: v.optional(v.string("a PCI address")),
  networks: v.optional(
    v.pipe(v.array(v.unknown(), "a list of networks"), v.minLength(1, "at least one network")),
  ),
  withMultus: v.optional(v.boolean("true or false")),
  pf: v.optional(
    v.pipe(v.string("an interface name"), v.check(isInterfaceName, "an interface name like ens1f0")),
  ),
  logLevel: v.optional(v.picklist(logLevels, "a level from panic to verbose")),
  logFile: v.optional(v.pipe(v.string(logFileText), v.check(isLogPath, logFileText))),
  capabilities: anyObject,
  runtimeConfig: anyObject,
  args: anyObject,
  prevResult: v.optional(resultSchema),
} as const;

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPrefix(text: string): boolean {
  return isInterfaceName(text) && countBytes(text) <= 13;
}
