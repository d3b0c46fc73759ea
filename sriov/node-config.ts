// /etc/virtfn/node.yaml: what the administrator of the node allows networks and pods to ask for. Parsed once, defaults resolved.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { formatProblems, describeValue, type ConfigProblem } from "./config-problems.ts";
import { readConfigObject } from "./config-object.ts";
import { SriovError } from "./errors.ts";
import { networkPolicies, type NetworkPolicy } from "./network-entries.ts";
import { parseTuningConfig, type TuningConfig } from "./tuning-config.ts";
import { limitEntries, toVfLimits, type VfLimits } from "./vf-limits.ts";

export interface NodeConfig {
  /** PFs whose VFs a network may take without any device plugin (`pf`). */
  readonly pfs: readonly NodePf[];
  /** Interrupt policies that a pod may choose. */
  readonly allowedPodPolicies: readonly NetworkPolicy[];
  /** By resource name; `*` is every VF of a resource that is not named, or of none. */
  readonly limits: ReadonlyMap<string, NodeLimits>;
  /** Interrupt policies of the node and of its resources. */
  readonly tuning: TuningConfig;
}

export interface NodePf {
  /** Of its interface on the host. */
  readonly name: string;
  /** How many VFs are made at first use when it has none; undefined: as many as the card has. */
  readonly numVfs: number | undefined;
}

export interface NodeLimits extends VfLimits {
  /** The driver that networks may ask for; undefined: none. */
  readonly driver: "vfio-pci" | undefined;
}

/** The file is not understood; the message lists every problem. */
class NodeConfigError extends SriovError {
  readonly code = "ERR_NODE_CONFIG";

  constructor(path: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(formatProblems(path, problems), options);
  }
}

const policies: readonly NetworkPolicy[] = ["numa-spread", "follow-pod", "pod-sibling"];

const nodeLimitEntries = {
  ...limitEntries,
  driver: v.optional(v.picklist(["vfio-pci"], '"vfio-pci"')),
} as const;

const nameText = "an interface name like ens1f0";
const numVfsText = "an integer of at least 1";
const pfEntries = {
  name: v.pipe(v.string(nameText), v.nonEmpty(nameText)),
  numVfs: v.optional(v.pipe(v.number(numVfsText), v.integer(numVfsText), v.minValue(1, numVfsText))),
} as const;

/** The keys of the file; a schema's message says what is expected. */
const nodeEntries = {
  pfs: v.optional(v.array(v.unknown(), "a list of interface names")),
  allowedPodPolicies: v.optional(
    v.array(v.picklist(networkPolicies, `one of ${networkPolicies.join(", ")}`), "a list of policies"),
  ),
  limits: v.optional(v.record(v.string(), v.unknown(), "limits by resource name, or *")),
  tuning: v.optional(v.unknown()),
} as const;

/** The node's configuration; without a file the defaults. The YAML library is loaded only for a file. Throws ERR_NODE_CONFIG. */
export async function readNodeConfig(host: Pick<Host, "files" | "paths">): Promise<NodeConfig> {
  const path = host.paths.nodeConfig;
  const text = host.files.readText(path);
  if (text === undefined) return orThrow(path, parseNodeConfig({}));
  const { parse } = await import("yaml");
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new NodeConfigError(path, [cause instanceof Error ? cause.message : String(cause)], { cause });
  }
  return orThrow(path, parseNodeConfig(value ?? {}));
}

/** The parsed document as a resolved value, with every problem. */
export function parseNodeConfig(value: unknown): {
  readonly config: NodeConfig;
  readonly problems: readonly ConfigProblem[];
} {
  const { output, problems } = readConfigObject(nodeEntries, value, { path: "" });
  const found = [...problems];
  const limits = new Map<string, NodeLimits>();
  for (const [resource, given] of Object.entries(output?.limits ?? {})) {
    const path = `limits.${resource}`;
    if (resource !== "*" && !/^[^/\s]+\/[^/\s]+$/.test(resource))
      found.push(describeValue(path, "a resource name like sriov/vf, or *", resource));
    const read = readConfigObject(nodeLimitEntries, given, { path });
    found.push(...read.problems);
    limits.set(resource, { ...toVfLimits(read.output), driver: read.output?.driver });
  }
  const pfs: NodePf[] = [];
  for (const [at, given] of (output?.pfs ?? []).entries()) {
    const pf = typeof given === "string" ? { name: given } : given;
    const read = readConfigObject(pfEntries, pf, { path: `pfs[${at}]` });
    found.push(...read.problems);
    if (read.output?.name !== undefined) pfs.push({ name: read.output.name, numVfs: read.output.numVfs });
  }
  const tuning = parseTuningConfig(output?.tuning ?? {}, "tuning");
  return {
    config: {
      pfs,
      allowedPodPolicies: output?.allowedPodPolicies ?? policies,
      limits,
      tuning: tuning.config,
    },
    problems: [...found, ...tuning.problems],
  };
}

/** The limits for VFs of `resource`; undefined: of none. */
export function findLimits({ limits }: NodeConfig, resource: string | undefined): NodeLimits | undefined {
  return (resource === undefined ? undefined : limits.get(resource)) ?? limits.get("*");
}

function orThrow(path: string, { config, problems }: ReturnType<typeof parseNodeConfig>): NodeConfig {
  if (problems.length > 0) throw new NodeConfigError(path, problems);
  return config;
}
