// What a pod, or whoever starts it, may choose: its MAC and addresses. The places it may come from, and who wins: one table.

import * as v from "valibot";

import { parseCidr, type Cidr } from "../sriov/cidr.ts";
import { describeValue, type ConfigProblem } from "../sriov/config-problems.ts";
import { parseUnicastMac } from "../sriov/mac-address.ts";
import { networkEntries } from "../sriov/network-entries.ts";
import type { PodArguments } from "./pod-arguments.ts";

export interface PodChoices {
  readonly mac: string | undefined;
  readonly ips: readonly Cidr[] | undefined;
}

interface Places {
  readonly pod: PodArguments;
  readonly runtimeConfig: object | undefined;
  readonly args: object | undefined;
  /** Keys that may not be set from `args.cni`, in lower case. */
  readonly ourKeys: ReadonlySet<string>;
}

interface Read {
  readonly choices: PodChoices;
  readonly annotations: Readonly<Record<string, string>>;
  readonly problems: readonly ConfigProblem[];
}

const annotationsKey = "io.kubernetes.cri.pod-annotations";
const annotationsSchema = v.record(v.string(), v.string());

/** Reads the choices; the first place that has one wins, a wrong one anywhere is a problem. Source: CNI CONVENTIONS.md. */
export function readPodChoices({ pod, runtimeConfig, args, ourKeys }: Places): Read {
  const runtime = toRecord(runtimeConfig);
  const cniArgs = toRecord(toRecord(args)["cni"]);
  const problems: ConfigProblem[] = [];
  const mac = pick(problems, networkEntries.mac, [
    ["runtimeConfig.mac", runtime["mac"]],
    ["args.cni.mac", cniArgs["mac"]],
    ["CNI_ARGS MAC", pod.mac],
  ]);
  const ips = pick(problems, networkEntries.ips, [
    ["runtimeConfig.ips", runtime["ips"]],
    ["args.cni.ips", cniArgs["ips"]],
  ]);
  for (const key of Object.keys(cniArgs))
    if (ourKeys.has(key.toLowerCase()) && key !== "mac" && key !== "ips")
      problems.push(`args.cni.${key}: may not be set here, put it into the network configuration`);
  const annotations = v.safeParse(annotationsSchema, runtime[annotationsKey] ?? {});
  if (!annotations.success)
    problems.push(describeValue(`runtimeConfig.${annotationsKey}`, "texts by name", runtime[annotationsKey]));
  return {
    choices: {
      mac: mac === undefined ? undefined : parseUnicastMac(mac),
      ips: ips?.map(parseCidr).filter((cidr) => cidr !== undefined),
    },
    annotations: annotations.success ? annotations.output : {},
    problems,
  };
}

function pick<const Schema extends v.GenericSchema>(
  problems: ConfigProblem[],
  schema: Schema,
  places: readonly (readonly [string, unknown])[],
): v.InferOutput<Schema> | undefined {
  let picked: v.InferOutput<Schema> | undefined;
  for (const [path, value] of places) {
    if (value === undefined || value === null || value === "") continue;
    const parsed = v.safeParse(schema, value);
    if (parsed.success) picked ??= parsed.output;
    else problems.push(describeValue(path, parsed.issues[0].message, value));
  }
  return picked;
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
