// The network configuration on stdin, parsed once into what ADD and DEL work with. Every problem is reported at once.

import * as v from "valibot";

import { resolveNetwork, type Network } from "../sriov/network-config.ts";
import { networkEntries } from "../sriov/network-entries.ts";
import { ConfigError, describeValue, type ConfigProblem } from "../sriov/config-problems.ts";
import { readConfigObject } from "../sriov/config-object.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { isForeignKey, ourKeys } from "./config-keys.ts";
import { findPending } from "./config-pending.ts";
import { readDevice } from "./config-device.ts";
import { readPodChoices, type PodChoices } from "./config-pod-choices.ts";
import { isInterfaceName } from "./environment.ts";
import { InputError } from "./errors.ts";
import type { PodArguments } from "./pod-arguments.ts";
import { resultSchema, type CniResult } from "./result.ts";
import { parseCniVersion, type CniVersion } from "./version.ts";

/** A network for the VFs of one resource; interfaces are called PREFIX1, PREFIX2, ... when chained. */
export interface PodNetwork extends Network {
  readonly resource: string;
  readonly ifNamePrefix: string;
}

export interface CniConfig {
  readonly cniVersion: CniVersion;
  readonly name: string;
  /** The VF to give; undefined: the pod's VFs are found through the kubelet. */
  readonly device: PciAddress | undefined;
  /** Exactly one when `device` is given. */
  readonly networks: readonly PodNetwork[];
  /** What the pod chose, already taken into `networks`. */
  readonly choices: PodChoices;
  readonly annotations: Readonly<Record<string, string>>;
  readonly withMultus: boolean;
  /** Name of the PF to pick an unused VF of, without any device plugin. */
  readonly pf: string | undefined;
  /** File for the log lines; undefined: stderr only. */
  readonly logFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly prevResult: CniResult | undefined;
  readonly hasTimings: boolean;
  /** `runtimeConfig` and `args` as they came, for IPAM delegates. */
  readonly delegate: { readonly runtimeConfig: object | undefined; readonly args: object | undefined };
}

const anyObject = v.optional(v.custom<Readonly<Record<string, unknown>>>(isObject, "an object"));
const networkName = v.pipe(
  v.string("letters, digits, _, . and -"),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "letters, digits, _, . and -, starting with a letter or digit"),
);

const podNetworkEntries = {
  ...networkEntries,
  resource: v.optional(
    v.pipe(v.string("a resource name"), v.regex(/^[^/\s]+\/[^/\s]+$/, "a resource name like sriov/vf")),
  ),
  ifNamePrefix: v.optional(
    v.custom<string>(isPrefix, "at most 13 bytes that an interface name may start with"),
  ),
} as const;

const logLevels = ["panic", "fatal", "error", "warning", "info", "debug"] as const;

/** sriov-cni's words. */
export type LogLevel = (typeof logLevels)[number];

const entries = {
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
  logLevel: v.optional(v.picklist(logLevels, "a level from panic to debug")),
  logFile: v.optional(v.string("a file below /var/log")),
  capabilities: anyObject,
  runtimeConfig: anyObject,
  args: anyObject,
  prevResult: v.optional(resultSchema),
} as const;

type Input = { readonly [Key in keyof typeof entries]: v.InferOutput<(typeof entries)[Key]> };

/** The object on stdin. Throws ERR_CNI_INPUT. */
export function parseInput(stdin: string): object {
  let value: unknown;
  try {
    value = JSON.parse(stdin);
  } catch (cause) {
    throw new InputError(
      stdin.trim() === "" ? "expected JSON, got nothing" : `expected JSON, ${String(cause)}`,
      {
        cause,
      },
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InputError(`expected an object, got ${JSON.stringify(value).slice(0, 80)}`);
  return value;
}

/** The configuration in `input`. Throws ERR_CNI_VERSION, or ERR_NETWORK_CONFIG with every problem. */
export function parseConfig(input: object, pod: PodArguments): CniConfig {
  const cniVersion = parseCniVersion((input as { readonly cniVersion?: unknown }).cniVersion);
  const read = readConfigObject(entries, input, { path: "", isForeign: isForeignKey });
  const title = `network ${JSON.stringify((input as { readonly name?: unknown }).name ?? "?")}`;
  if (read.output === undefined) throw new ConfigError(title, read.problems);
  const top = read.output;
  const device = readDevice(top);
  const choices = readPodChoices({ pod, runtimeConfig: top.runtimeConfig, args: top.args, ourKeys });
  const networks = readNetworks(top, device.address !== undefined);
  const pending = findPending(top, "");
  const problems = [...device.problems, ...choices.problems, ...networks.problems, ...pending];
  if (problems.length > 0) throw new ConfigError(title, problems);
  return {
    cniVersion,
    name: top.name,
    device: device.address,
    networks: networks.networks.map((network) => withChoices(network, choices.choices)),
    choices: choices.choices,
    annotations: choices.annotations,
    withMultus: top.withMultus ?? false,
    pf: top.pf,
    logFile: top.logFile,
    logLevel: top.logLevel ?? "warning",
    prevResult: top.prevResult,
    hasTimings: top.logLevel === "info" || top.logLevel === "debug",
    delegate: { runtimeConfig: top.runtimeConfig, args: top.args },
  };
}

function withChoices(network: PodNetwork, choices: PodChoices): PodNetwork {
  return Object.assign({}, network, {
    mac: choices.mac ?? network.mac,
    // With IPAM the delegate gets the wish and decides.
    ips: network.ipam === undefined ? (choices.ips ?? network.ips) : network.ips,
  });
}

function readNetworks(
  top: Input,
  hasDevice: boolean,
): { readonly networks: readonly PodNetwork[]; readonly problems: readonly ConfigProblem[] } {
  const list = top.networks;
  if (list === undefined) {
    const { network, problems } = resolveNetwork(top, "");
    return { networks: [toPodNetwork(network, top)], problems };
  }
  const problems: ConfigProblem[] = Object.keys(podNetworkEntries)
    .filter((key) => top[key as keyof Input] !== undefined)
    .map((key) => `${key}: expected inside networks, not beside it`);
  if (hasDevice) problems.push("networks: expected nothing when a device is given");
  const networks: PodNetwork[] = [];
  for (const [at, value] of list.entries()) {
    const path = `networks[${at}]`;
    const read = readConfigObject(podNetworkEntries, value, { path });
    problems.push(...read.problems);
    if (read.output === undefined) continue;
    const resolved = resolveNetwork(read.output, `${path}.`);
    problems.push(...resolved.problems, ...findPending(read.output, `${path}.`));
    const network = toPodNetwork(resolved.network, read.output);
    if (networks.some((known) => known.resource === network.resource))
      problems.push(describeValue(`${path}.resource`, "each resource once", network.resource));
    networks.push(network);
  }
  return { networks, problems };
}

function toPodNetwork(
  network: Network,
  input: { readonly resource?: string | undefined; readonly ifNamePrefix?: string | undefined },
): PodNetwork {
  return { ...network, resource: input.resource ?? "sriov/vf", ifNamePrefix: input.ifNamePrefix ?? "net" };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPrefix(value: unknown): boolean {
  return typeof value === "string" && isInterfaceName(value) && Buffer.byteLength(value) <= 13;
}
