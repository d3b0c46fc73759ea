// The network configuration on stdin, parsed once into what ADD and DEL work with. Every problem is reported at once.

import * as v from "valibot";

import { networkEntries, resolveNetwork, type Network } from "../sriov/network-config.ts";
import { ConfigError, describeValue, type ConfigProblem } from "../sriov/config-problems.ts";
import { readConfigObject } from "../sriov/config-object.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { isForeignKey, ourKeys } from "./config-keys.ts";
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
  logLevel: v.optional(
    v.picklist(["panic", "fatal", "error", "warning", "info", "debug"], "a level from panic to debug"),
  ),
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
  const problems = [...device.problems, ...choices.problems, ...networks.problems];
  if (problems.length > 0) throw new ConfigError(title, problems);
  return {
    cniVersion,
    name: top.name,
    device: device.address,
    networks: networks.networks.map((network) => withChoices(network, choices.choices)),
    choices: choices.choices,
    annotations: choices.annotations,
    withMultus: top.withMultus ?? false,
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
    problems.push(...resolved.problems);
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
