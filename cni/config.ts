// The network configuration on stdin, parsed once into what ADD and DEL work with. Every problem is reported at once.

import type * as v from "valibot";

import { findMissingAddresses, resolveNetwork, type Network } from "../sriov/network-config.ts";
import { ConfigError, describeValue, type ConfigProblem } from "../sriov/config-problems.ts";
import { readConfigObject } from "../sriov/config-object.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { configEntries, podNetworkEntries, type LogLevel } from "./config-entries.ts";
import { isForeignKey } from "./config-keys.ts";
import { readDevice } from "./config-device.ts";
import { readDeviceInfoFile, type Attachee } from "./config-device-info.ts";
import { readPodChoices, type PodChoices } from "./config-pod-choices.ts";
import { InputError } from "./errors.ts";
import type { PodArguments } from "./pod-arguments.ts";
import type { CniResult } from "./result.ts";
import type { CniVersion } from "./spoken-versions.ts";
import { parseCniVersion } from "./version.ts";

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
  /** Whether the device is named by `runtimeConfig` alone: by a pod, as far as can be told (Multus hands its wish on so). */
  readonly isDeviceWish: boolean;
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
  /** Name of the device-info file that Multus asks for. */
  readonly deviceInfoFile: string | undefined;
  /** `runtimeConfig` and `args` as they came, for IPAM delegates. */
  readonly delegate: { readonly runtimeConfig: object | undefined; readonly args: object | undefined };
}

type Input = {
  readonly [Key in keyof typeof configEntries]: v.InferOutput<(typeof configEntries)[Key]> | undefined;
};

export interface ReadConfig {
  readonly config: CniConfig;
  readonly problems: readonly ConfigProblem[];
}

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
export function parseConfig(input: object, pod: PodArguments, call?: Attachee): CniConfig {
  const read = readConfig(input, pod, call);
  checkConfig(read);
  return read.config;
}

/** Throws ERR_NETWORK_CONFIG with every problem, when there is one. */
export function checkConfig(read: ReadConfig): void {
  const error = findConfigError(read);
  if (error !== undefined) throw error;
}

/** ERR_NETWORK_CONFIG with every problem, when there is one. */
export function findConfigError({ config, problems }: ReadConfig): ConfigError | undefined {
  return problems.length === 0 ? undefined : new ConfigError(describeNetwork(config), problems);
}

/**
 * What is right in `input`, with the problems of the rest: enough to give back, whatever a pod wrote or an administrator changed
 * since its ADD. Throws ERR_CNI_VERSION, and ERR_NETWORK_CONFIG when there is no name.
 */
export function readConfig(input: object, pod: PodArguments, call?: Attachee): ReadConfig {
  const cniVersion = parseCniVersion((input as { readonly cniVersion?: unknown }).cniVersion);
  const { output: top, problems } = readConfigObject(configEntries, input, {
    path: "",
    isForeign: isForeignKey,
  });
  if (top?.name === undefined) throw new ConfigError(describeNetwork(input), problems);
  const { runtimeConfig, args } = top;
  const networks = readNetworks(top, problems.length === 0);
  const takesIps = networks.networks.every(({ network }) => network.ipam === undefined);
  const choices = readPodChoices({ pod, runtimeConfig, args, takesIps });
  const device = readDevice({ ...top, runtime: choices.deviceID });
  const deviceInfo = readDeviceInfoFile(choices.deviceInfoFile, call);
  const chosen = networks.networks.map((read) => ({
    ...read,
    network: withChoices(read.network, choices.choices),
  }));
  // The pod brings its addresses to ADD alone; with a delegate they are no more than a wish.
  const mayBring = call?.command !== "ADD" && takesIps && hasCapability(top.capabilities, "ips");
  const missing = chosen.flatMap(({ network, path, isRight }) =>
    isRight && !mayBring ? findMissingAddresses(network, path) : [],
  );
  const isTwoWays = device.address !== undefined && top.networks !== undefined;
  const isPfBeside = top.pf !== undefined && (device.address !== undefined || top.networks !== undefined);
  return {
    config: {
      cniVersion,
      name: top.name,
      device: device.address,
      isDeviceWish: device.address !== undefined && device.isWish,
      networks: chosen.map(({ network }) => network),
      choices: choices.choices,
      annotations: choices.annotations,
      withMultus: top.withMultus ?? false,
      pf: top.pf,
      logFile: top.logFile,
      logLevel: top.logLevel ?? "info",
      prevResult: top.prevResult,
      deviceInfoFile: deviceInfo.name,
      delegate: { runtimeConfig, args },
    },
    problems: [
      ...problems,
      ...device.problems,
      ...deviceInfo.problems,
      ...choices.problems,
      ...networks.problems,
      ...missing,
      ...(isPfBeside ? ["pf: expected nothing beside a device or networks"] : []),
      ...(isTwoWays ? ["networks: expected nothing when a device is given"] : []),
    ],
  };
}

function hasCapability(capabilities: Input["capabilities"], name: string): boolean {
  return capabilities !== undefined && Object.hasOwn(capabilities, name) && capabilities[name] === true;
}

function describeNetwork(input: object): string {
  return `network ${JSON.stringify((input as { readonly name?: unknown }).name ?? "?")}`;
}

function withChoices(network: PodNetwork, choices: PodChoices): PodNetwork {
  return Object.assign({}, network, {
    mac: choices.mac ?? network.mac,
    tuning: choices.tuning ?? network.tuning,
    // With IPAM the delegate gets the wish and decides.
    ips: network.ipam === undefined ? (choices.ips ?? network.ips) : network.ips,
  });
}

interface ReadNetwork {
  readonly network: PodNetwork;
  /** Before its keys in a problem: "" or "networks[0].". */
  readonly path: string;
  /** Whether each key by itself is right: only then it is told what they contradict each other in. */
  readonly isRight: boolean;
}

/** `isRight`: the keys at the top. */
function readNetworks(
  top: Input,
  isRight: boolean,
): { readonly networks: readonly ReadNetwork[]; readonly problems: readonly ConfigProblem[] } {
  const list = top.networks;
  if (list === undefined) {
    const { network, problems } = resolveNetwork(top, "");
    return {
      networks: [{ network: toPodNetwork(network, top), path: "", isRight }],
      problems: isRight ? problems : [],
    };
  }
  const problems: ConfigProblem[] = Object.keys(podNetworkEntries)
    .filter((key) => top[key as keyof Input] !== undefined)
    .map((key) => `${key}: expected inside networks, not beside it`);
  const networks: ReadNetwork[] = [];
  const resources = new Set<string>();
  for (const [at, value] of list.entries()) {
    const path = `networks[${at}]`;
    const read = readConfigObject(podNetworkEntries, value, { path });
    problems.push(...read.problems);
    if (read.output === undefined) continue;
    const resolved = resolveNetwork(read.output, `${path}.`);
    if (read.problems.length === 0) problems.push(...resolved.problems);
    const network = toPodNetwork(resolved.network, read.output);
    if (resources.has(network.resource))
      problems.push(describeValue(`${path}.resource`, "each resource once", network.resource));
    resources.add(network.resource);
    networks.push({ network, path: `${path}.`, isRight: read.problems.length === 0 });
  }
  return { networks, problems };
}

function toPodNetwork(
  network: Network,
  input: { readonly resource?: string | undefined; readonly ifNamePrefix?: string | undefined },
): PodNetwork {
  return { ...network, resource: input.resource ?? "sriov/vf", ifNamePrefix: input.ifNamePrefix ?? "net" };
}
