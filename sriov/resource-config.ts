// The resources of a node: which devices are offered under which name. The form is sriov-network-device-plugin's, and a little more.

import * as v from "valibot";

import { readConfigObject } from "./config-object.ts";
import { describeValue, formatProblems, type ConfigProblem } from "./config-problems.ts";
import { type ConfigText, parseConfigText } from "./config-text.ts";
import { SriovError } from "./errors.ts";
import { type ProvisionSection, readProvision } from "./provision-config.ts";
import { parseResourceRules, type ResourceRules } from "./resource-rules.ts";
import { type DeviceType, deviceTypes, readSelectors } from "./selector-config.ts";
import type { DeviceSelector } from "./selector.ts";

/** Which of several free VFs a pod should get. */
export type AllocationPolicy = "pack" | "spread" | "same-pf" | "same-numa";

/** One resource. */
export interface ResourcePool {
  /** Prefix and name: "sriov/vf". */
  readonly name: string;
  readonly deviceType: DeviceType;
  /** A device belongs to the resource when it fits one of them; the first that it fits counts. */
  readonly selectors: readonly DeviceSelector[];
  /** Only VFs that a kernel network driver has: of the resource that there is without a configuration. */
  readonly isKernelOnly: boolean;
  /** NUMA nodes are not told to the kubelet. */
  readonly excludeTopology: boolean;
  /** By PCI address, or "*" for all. */
  readonly additionalInfo: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly allocation: AllocationPolicy;
  /** The driver that ADD gives its VFs to, as their networks say: containers get its device nodes in advance. */
  readonly driver: "vfio-pci" | undefined;
  /** What the CNI plugin and tuning go by with its VFs. */
  readonly rules: ResourceRules;
  /** What a PF without link means for its VFs. */
  readonly linkDown: "unhealthy" | "ignore";
}

/** A resource configuration is not understood; the message lists every problem. */
export class ResourceConfigError extends SriovError {
  readonly code = "ERR_RESOURCE_CONFIG";
  readonly problems: readonly ConfigProblem[];

  constructor(path: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(formatProblems(path, problems), options);
    this.problems = problems;
  }
}

const stringMap = v.record(v.string(), v.string("a text"), "an object of texts");

/** The keys of a resource; messages say what is expected. */
const prefixForm = "a domain like example.com, not kubernetes.io";
const resourceEntries = {
  resourceName: v.custom<string>(
    (value) => typeof value === "string" && /^[a-z0-9](?:[\w-]{0,61}[a-z0-9])?$/i.test(value),
    "a name of letters, digits, - and _, at most 63",
  ),
  resourcePrefix: v.optional(v.custom<string>(isPrefix, prefixForm)),
  deviceType: v.optional(v.picklist(deviceTypes, deviceTypes.join(", "))),
  excludeTopology: v.optional(v.boolean("true or false")),
  selectors: v.optional(v.unknown()),
  additionalInfo: v.optional(v.record(v.string(), stringMap, "an object of objects")),
  allocation: v.optional(
    v.picklist(["pack", "spread", "same-pf", "same-numa"], "pack, spread, same-pf or same-numa"),
  ),
  driver: v.optional(v.picklist(["kernel", "vfio-pci"], "kernel or vfio-pci")),
  health: v.optional(v.unknown()),
  limits: v.optional(v.unknown()),
  tuning: v.optional(v.unknown()),
  // What the configuration's makers marshal along with it, always null.
  SelectorObj: v.optional(v.null("nothing")),
  SelectorObjs: v.optional(v.null("nothing")),
} as const;

const healthEntries = {
  linkDown: v.optional(v.picklist(["unhealthy", "ignore"], "unhealthy or ignore")),
} as const;

const configEntries = {
  resourceList: v.array(v.unknown(), "a list of resources"),
  provision: v.optional(v.unknown()),
} as const;

interface ReadOptions {
  /** The file, for messages. */
  readonly path: string;
  /** Of resources that name none. */
  readonly prefix: string;
}

/** The resources that `text` (JSON or YAML) configures, in its order. Throws ERR_RESOURCE_CONFIG. */
export function parseResourceConfig(text: string, options: ReadOptions): readonly ResourcePool[] {
  return parseProvisionConfig(text, options).pools;
}

interface ResourceFile {
  readonly pools: readonly ResourcePool[];
  readonly provision: ProvisionSection;
}

/** The resources of the file, and what PFs and VFs shall have; a mistake anywhere in it is one. Throws ERR_RESOURCE_CONFIG. */
export function parseProvisionConfig(text: string, options: ReadOptions): ResourceFile {
  return readResourceDocument(parseConfigText(text), options);
}

/** As `parseProvisionConfig`, of what is parsed already. Throws ERR_RESOURCE_CONFIG. */
export function readResourceDocument(document: ConfigText, { path, prefix }: ReadOptions): ResourceFile {
  if (document.problems.length > 0) throw new ResourceConfigError(path, document.problems);
  const { problems } = readConfigObject(configEntries, document.value, { path: "" });
  const list = memberOf(document.value, "resourceList");
  const results = (Array.isArray(list) ? list : []).map((one: unknown, at) =>
    readPool(one, `resourceList[${at}]`, prefix),
  );
  const pools = results.flatMap(({ pool }) => pool ?? []);
  const provision = readProvision(memberOf(document.value, "provision"), "provision", pools);
  const all = [
    ...problems,
    ...results.flatMap((result) => result.problems),
    ...findTwins(results),
    ...provision.problems.map(withBrackets),
  ];
  if (all.length === 0) return { pools, provision: provision.section };
  const placed = all.map((problem) => ({ problem, line: document.lineOf(pathOf(problem)) }));
  const sorted = placed.toSorted((a, b) => a.line - b.line);
  throw new ResourceConfigError(
    path,
    sorted.map(({ line, problem }) => `line ${line}: ${problem}`),
  );
}

/** What is offered without a configuration: every VF that has a network driver, as `vf`. */
export function defaultResources(prefix: string): readonly ResourcePool[] {
  const { selectors } = readSelectors("netDevice", undefined, "");
  return [
    {
      name: `${prefix}/vf`,
      deviceType: "netDevice",
      selectors,
      isKernelOnly: true,
      excludeTopology: false,
      additionalInfo: {},
      allocation: "pack",
      driver: undefined,
      rules: { limits: undefined, tuning: undefined },
      linkDown: "unhealthy",
    },
  ];
}

/** Whether a text can stand before the "/" of an extended resource's name. Source: Kubernetes IsExtendedResourceName. */
function isPrefix(value: unknown): boolean {
  if (typeof value !== "string" || value.length > 253 || /(?:^|\.)kubernetes\.io$/.test(value)) return false;
  return !value.startsWith("requests.") && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(value);
}

/** What is wrong with the value of the flag --resource-prefix; `undefined` when nothing is. */
export function findPrefixProblem(prefix: string): string | undefined {
  if (isPrefix(prefix)) return undefined;
  return `--resource-prefix: expected ${prefixForm}, got "${prefix}"`;
}

interface PoolResult {
  readonly path: string;
  readonly pool: ResourcePool | undefined;
  readonly problems: readonly ConfigProblem[];
}

// Each part is looked at by itself: what is wrong in one must not hide what is wrong in another.
function readPool(value: unknown, path: string, defaultPrefix: string): PoolResult {
  const { output, problems: own } = readConfigObject(resourceEntries, value, { path });
  const deviceType = deviceTypes.find((type) => type === (memberOf(value, "deviceType") ?? "netDevice"));
  const { selectors, problems: inSelectors } =
    deviceType === undefined
      ? { selectors: [], problems: [] }
      : readSelectors(deviceType, memberOf(value, "selectors"), `${path}.selectors`);
  const health = readConfigObject(healthEntries, memberOf(value, "health") ?? {}, { path: `${path}.health` });
  const { rules, problems: inRules } = readRules(value, path, deviceType);
  const problems = [...own, ...inSelectors, ...health.problems, ...inRules].map(withBrackets);
  const prefix = output?.resourcePrefix ?? defaultPrefix;
  const pool = {
    name: `${prefix}/${output?.resourceName}`,
    deviceType: deviceType ?? "netDevice",
    selectors,
    isKernelOnly: false,
    excludeTopology: output?.excludeTopology ?? false,
    additionalInfo: output?.additionalInfo ?? {},
    allocation: output?.allocation ?? "pack",
    driver: output?.driver === "vfio-pci" ? ("vfio-pci" as const) : undefined,
    rules,
    linkDown: health.output?.linkDown ?? "unhealthy",
  };
  return { path, pool: problems.length > 0 ? undefined : pool, problems };
}

function readRules(
  value: unknown,
  path: string,
  deviceType: DeviceType | undefined,
): ReturnType<typeof parseResourceRules> {
  const given = {
    limits: memberOf(value, "limits") ?? undefined,
    tuning: memberOf(value, "tuning") ?? undefined,
  };
  const { rules, problems } = parseResourceRules(given, path);
  // Nothing of virtfn attaches or tunes them: what does not come into force shall not look as if it did.
  const idle = (["limits", "tuning"] as const).filter(
    (key) => given[key] !== undefined && deviceType !== undefined && deviceType !== "netDevice",
  );
  const notInForce = idle.map((key) => describeValue(`${path}.${key}`, `none for ${deviceType}`, given[key]));
  return { rules, problems: [...problems, ...notInForce] };
}

// Key case is ignored, as Go's decoder does it.
function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1];
}

function findTwins(results: readonly PoolResult[]): readonly ConfigProblem[] {
  const paths = new Map<string, string>();
  return results.flatMap(({ pool, path }) => {
    if (pool === undefined) return [];
    const first = paths.get(pool.name);
    if (first === undefined) paths.set(pool.name, path);
    if (first === undefined) return [];
    return [describeValue(`${path}.resourceName`, `a name other than that of ${first}`, pool.name)];
  });
}

/** "a.0: ..." is written "a[0]: ...", as every other path is. */
function withBrackets(problem: ConfigProblem): ConfigProblem {
  const path = pathOf(problem);
  return `${path.replaceAll(/\.(\d+)(?=\.|\[|$)/gu, "[$1]")}${problem.slice(path.length)}`;
}

function pathOf(problem: ConfigProblem): string {
  return problem.slice(0, Math.max(0, problem.indexOf(": ")));
}
