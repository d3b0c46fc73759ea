// What a pod, or whoever starts it, chooses: read from the places that the table (config-sources.ts) allows, refused anywhere else.

import * as v from "valibot";

import { parseCidr, type Cidr } from "../sriov/cidr.ts";
import { describeIssue, isGiven } from "../sriov/config-object.ts";
import { describeUnknownKey, describeValue, type ConfigProblem } from "../sriov/config-problems.ts";
import { parseUnicastMac } from "../sriov/mac-address.ts";
import { networkEntries, type NetworkPolicy } from "../sriov/network-entries.ts";
import { findKey, isOurKey, keySources, type Place } from "./config-sources.ts";
import type { PodArguments } from "./pod-arguments.ts";

export interface PodChoices {
  readonly mac: string | undefined;
  readonly ips: readonly Cidr[] | undefined;
  /** Whether the node allows it is another question (sriov/node-config.ts). */
  readonly tuning: NetworkPolicy | undefined;
}

interface Given {
  readonly pod: PodArguments;
  readonly runtimeConfig: object | undefined;
  readonly args: object | undefined;
  /** False where a delegate hands out the addresses: it gets the wish as it came, and decides. */
  readonly takesIps: boolean;
}

interface Read {
  readonly choices: PodChoices;
  /** As it came: its place in the order of devices is config-device.ts's. */
  readonly deviceID: unknown;
  /** As it came, too: config-device-info.ts reads it. */
  readonly deviceInfoFile: unknown;
  readonly annotations: Readonly<Record<string, string>>;
  readonly problems: readonly ConfigProblem[];
}

type Values = ReadonlyMap<Place, Readonly<Record<string, unknown>>>;

const annotationsKey = "io.kubernetes.cri.pod-annotations";
const annotationsSchema = v.record(v.string(), v.string());
const ourPrefix = "virtfn/";

/** Reads the choices; the first place that has one wins, a wrong one anywhere is a problem. */
export function readPodChoices({ pod, runtimeConfig, args, takesIps }: Given): Read {
  const runtime = toRecord(runtimeConfig);
  const annotations = v.safeParse(annotationsSchema, runtime[annotationsKey] ?? {});
  const problems: ConfigProblem[] = [];
  if (!annotations.success)
    problems.push(describeValue(`runtimeConfig.${annotationsKey}`, "texts by name", runtime[annotationsKey]));
  const given: Values = new Map<Place, Readonly<Record<string, unknown>>>([
    ["annotation", annotations.success ? annotations.output : {}],
    ["runtimeConfig", runtime],
    ["args.cni", toRecord(findMember(toRecord(args), "cni"))],
    ["CNI_ARGS", pod.values],
  ]);
  const values: Values = new Map([...given].map(([place, all]) => [place, pickOurs(place, all, problems)]));
  const mac = pick(values, "mac", problems);
  const ips = takesIps ? pick(values, "ips", problems) : undefined;
  return {
    choices: {
      mac: mac === undefined ? undefined : parseUnicastMac(mac),
      ips: ips?.map(parseCidr).filter((cidr) => cidr !== undefined),
      tuning: pick(values, "tuning", problems),
    },
    deviceID: values.get("runtimeConfig")?.["deviceID"],
    deviceInfoFile: findMember(runtime, "cnideviceinfofile"),
    annotations: annotations.success ? annotations.output : {},
    problems,
  };
}

/** Our keys among `all`, by their canonical name. */
function pickOurs(place: Place, all: object, problems: ConfigProblem[]): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(all)) {
    const key = findKey(place, name);
    const path = formatPath(place, name);
    if (key === undefined) problems.push(...refuse(place, name, path));
    else if (Object.hasOwn(found, key)) problems.push(`${path}: given twice, in another case too`);
    else found[key] = value;
  }
  return found;
}

function refuse(place: Place, name: string, path: string): readonly ConfigProblem[] {
  if (place === "annotation")
    return name.startsWith(ourPrefix) ? [describeUnknownKey(path, name, listAnnotations())] : [];
  return isOurKey(name) ? [`${path}: may not be set here, put it into the network configuration`] : [];
}

function listAnnotations(): readonly string[] {
  const sources = [...keySources.values()].flat();
  return sources.filter(({ place }) => place === "annotation").map(({ key }) => key);
}

function pick<const Key extends "mac" | "ips" | "tuning">(
  values: Values,
  key: Key,
  problems: ConfigProblem[],
): v.InferOutput<(typeof networkEntries)[Key]> | undefined {
  let picked: v.InferOutput<(typeof networkEntries)[Key]> | undefined;
  for (const { place, key: name } of keySources.get(key) ?? []) {
    const value = values.get(place)?.[key];
    if (!isGiven(value)) continue;
    // CNI_ARGS is text: several addresses are separated by commas.
    const isList = place === "CNI_ARGS" && key === "ips" && typeof value === "string";
    const parsed = v.safeParse(networkEntries[key], isList ? value.split(",") : value, {
      abortPipeEarly: true,
    });
    if (parsed.success) picked ??= parsed.output as typeof picked;
    else problems.push(...parsed.issues.map((issue) => describeIssue(formatPath(place, name), issue)));
  }
  return picked;
}

function formatPath(place: Place, name: string): string {
  switch (place) {
    case "CNI_ARGS":
      return `CNI_ARGS ${name}`;
    case "annotation":
      return `annotation ${name}`;
    case "file":
      return name;
    case "runtimeConfig":
    case "args.cni":
      return `${place}.${name}`;
  }
}

function findMember(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.entries(record).find(([key]) => key.toLowerCase() === name)?.[1];
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
