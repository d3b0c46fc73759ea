// What node.yaml and the configuration of a resource say of tuning: policies, CPU lists, receive packet steering.

import * as v from "valibot";

import { type ConfigEntries, readConfigObject } from "./config-object.ts";
import { type ConfigProblem, describeValue } from "./config-problems.ts";
import { formatCpuList, parseCpuList } from "./cpu-list.ts";
import { CpuSetError } from "./errors.ts";
import { networkPolicies, type NetworkPolicy } from "./network-entries.ts";

/** Who shares the protocol work of receive queues: nobody, the NUMA node's CPUs, the pod's, or those of `rpsCpus`. */
export type RpsMode = "off" | "numa" | "pod" | "explicit";

/** Who sends through which transmit queue: each CPU through the one with the nearest interrupt, or as the driver has it. */
export type XpsMode = "off" | "near";

/** What goes with a policy; undefined: as the policy itself has it. */
export interface PolicySettings {
  /** Of policy `explicit`, ascending. */
  readonly cpus: readonly number[] | undefined;
  /** Of policy `dedicated`. */
  readonly coresPerNode: number | undefined;
  readonly rps: RpsMode | undefined;
  /** Of `rps: explicit`, ascending. */
  readonly rpsCpus: readonly number[] | undefined;
  /** Undefined is `near`. */
  readonly xps: XpsMode | undefined;
  /** Packets follow the program that reads them (receive flow steering); undefined is off. */
  readonly rfs: boolean | undefined;
  /** Queues are polled by kernel threads, on the CPUs of their interrupts; undefined is off. */
  readonly threadedNapi: boolean | undefined;
  /** The VF has as many channels as CPUs that its interrupts may go to; undefined is off. */
  readonly channelPerCpu: boolean | undefined;
}

/** What a place says; undefined: nothing. */
export interface PolicyDefaults extends PolicySettings {
  readonly policy: NetworkPolicy | undefined;
}

/** `resources`: by resource name, where it differs from the rest of the node. */
export interface TuningConfig extends PolicyDefaults {
  /** CPUs for work that is nobody's own; undefined: those that the kubelet never hands out. */
  readonly housekeepingCpus: readonly number[] | undefined;
  /** Whether irqbalance's configuration file may be changed. */
  readonly configureIrqBalance: boolean;
  readonly resources: ReadonlyMap<string, PolicyDefaults>;
}

const listText = "a list of CPUs like 0-3,8";
const coresText = "an integer of at least 1";
const cpuList = v.optional(
  v.pipe(
    v.union([v.number(), v.string()], listText),
    v.check((value) => readCpuList(value).length > 0, listText),
    v.transform(readCpuList),
  ),
);
const xpsModes = ["off", "near"] as const;
const rpsModes = ["off", "numa", "pod", "explicit"] as const;

const policyEntries = {
  policy: v.optional(v.picklist(networkPolicies, `one of ${networkPolicies.join(", ")}`)),
  cpus: cpuList,
  coresPerNode: v.optional(v.pipe(v.number(coresText), v.integer(coresText), v.minValue(1, coresText))),
  rps: v.optional(v.picklist(rpsModes, `one of ${rpsModes.join(", ")}`)),
  rpsCpus: cpuList,
  xps: v.optional(v.picklist(xpsModes, `one of ${xpsModes.join(", ")}`)),
  rfs: v.optional(v.boolean("true or false")),
  threadedNapi: v.optional(v.boolean("true or false")),
  channelPerCpu: v.optional(v.boolean("true or false")),
} as const satisfies ConfigEntries;

const irqBalanceEntries = {
  configure: v.optional(v.boolean("true or false")),
} as const satisfies ConfigEntries;

const tuningEntries = {
  ...policyEntries,
  housekeepingCpus: cpuList,
  irqbalance: v.optional(v.unknown()),
  resources: v.optional(v.record(v.string(), v.unknown(), "policies by resource name")),
} as const satisfies ConfigEntries;

/** The value of the key `tuning` as a resolved value, with every problem; `{}` gives the defaults. */
export function parseTuningConfig(
  value: unknown,
  path: string,
): { readonly config: TuningConfig; readonly problems: readonly ConfigProblem[] } {
  const { output, problems } = readConfigObject(tuningEntries, value, { path });
  const irqBalance = readConfigObject(irqBalanceEntries, output?.irqbalance ?? {}, {
    path: `${path}.irqbalance`,
  });
  const found = [...problems, ...irqBalance.problems];
  const resources = new Map<string, PolicyDefaults>();
  for (const [resource, given] of Object.entries(output?.resources ?? {})) {
    const at = `${path}.resources.${resource}`;
    if (!/^[^/\s]+\/[^/\s]+$/.test(resource))
      found.push(describeValue(at, "a resource name like sriov/vf", resource));
    const read = readConfigObject(policyEntries, given, { path: at });
    found.push(...read.problems);
    resources.set(resource, toDefaults(read.output));
  }
  const config: TuningConfig = {
    ...toDefaults(output),
    housekeepingCpus: output?.housekeepingCpus,
    configureIrqBalance: irqBalance.output?.configure ?? false,
    resources,
  };
  const places = [
    { at: path, given: config },
    ...[...resources].map(([name, given]) => ({ at: `${path}.resources.${name}`, given })),
  ];
  return { config, problems: [...found, ...findMissingLists(places, config, found)] };
}

/** The object of one policy (`tuning` of a resource) as a resolved value, with every problem. */
export function parsePolicy(
  value: unknown,
  path: string,
): { readonly policy: PolicyDefaults; readonly problems: readonly ConfigProblem[] } {
  const { output, problems } = readConfigObject(policyEntries, value, { path });
  const policy = toDefaults(output);
  const places = [{ at: path, given: policy }];
  return { policy, problems: [...problems, ...findMissingLists(places, policy, problems)] };
}

/** The object that `parsePolicy` reads as this policy. */
export function formatPolicy({ cpus, rpsCpus, ...rest }: PolicyDefaults): object {
  return { ...rest, cpus: cpus && formatCpuList(cpus), rpsCpus: rpsCpus && formatCpuList(rpsCpus) };
}

function toDefaults(output: Partial<PolicyDefaults> | undefined): PolicyDefaults {
  return {
    policy: output?.policy,
    cpus: output?.cpus,
    coresPerNode: output?.coresPerNode,
    rps: output?.rps,
    rpsCpus: output?.rpsCpus,
    xps: output?.xps,
    rfs: output?.rfs,
    threadedNapi: output?.threadedNapi,
    channelPerCpu: output?.channelPerCpu,
  };
}

/** `explicit` without its list would silently be something else; `common` is what all places have. One that is wrong is `known`. */
function findMissingLists(
  places: readonly { readonly at: string; readonly given: PolicyDefaults }[],
  common: PolicyDefaults,
  known: readonly ConfigProblem[],
): readonly ConfigProblem[] {
  const isMissing = ({ given }: (typeof places)[number], key: "cpus" | "rpsCpus"): boolean =>
    (given[key] ?? common[key]) === undefined && known.every((problem) => !problem.includes(`.${key}: `));
  const policies = places.filter((place) => place.given.policy === "explicit" && isMissing(place, "cpus"));
  const modes = places.filter((place) => place.given.rps === "explicit" && isMissing(place, "rpsCpus"));
  return [
    ...policies.map(({ at }) => `${at}.policy: explicit needs the key cpus`),
    ...modes.map(({ at }) => `${at}.rps: explicit needs the key rpsCpus`),
  ];
}

/** Empty for what is no list: an empty one is as wrong. */
function readCpuList(value: number | string): readonly number[] {
  try {
    return parseCpuList(`${value}`);
  } catch (error) {
    if (error instanceof CpuSetError) return [];
    throw error;
  }
}
