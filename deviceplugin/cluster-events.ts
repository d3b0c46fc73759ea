// What the node's Events say: devices that became unhealthy or healthy again, a configuration refused, VFs that nothing attached.
import type { TuningProblem } from "../sriov/tuning-problems.ts";
import type { UnrecordedDevice } from "../sriov/unrecorded-pods.ts";
import type { Scan } from "./scanner.ts";

/** An Event about the node, as `kubectl describe node` shows it. */
export interface ClusterEvent {
  readonly type: "Normal" | "Warning";
  readonly reason:
    | "DevicesUnhealthy"
    | "DevicesHealthy"
    | "ConfigurationRefused"
    | "ConfigurationInForce"
    | "VfNotAttached"
    | "TuningFellShort";
  readonly message: string;
}

/** What Events are made from, at one moment. */
export interface Told {
  /** Reasons in words, by device. */
  readonly unhealthy: ReadonlyMap<string, string>;
  readonly configProblem: string | undefined;
  readonly unrecorded: readonly UnrecordedDevice[];
  /** Policies that could not be met, and knobs that are not there, in words. */
  readonly tuning: readonly string[];
}

export const nothingTold: Told = {
  unhealthy: new Map(),
  configProblem: undefined,
  unrecorded: [],
  tuning: [],
};

/** An Event holds 1,024 bytes; the log has it all. */
const longest = 1_000;

/** The unhealthy devices of a look. */
export function listUnhealthy({ resources }: Pick<Scan, "resources">): ReadonlyMap<string, string> {
  const entries = [...resources.values()].flatMap(({ devices }) =>
    [...devices].flatMap(([id, { problem }]) =>
      problem === undefined ? [] : [[id, problem.reason] as const],
    ),
  );
  return new Map(entries);
}

/** What tuning does instead of what it was asked for; the rest of its problems are for its log and metrics. */
export function listShortfalls(problems: readonly TuningProblem[]): readonly string[] {
  return problems
    .filter(({ code }) => code === "FALLBACK" || code === "UNSUPPORTED")
    .map(({ vf, about, message }) => `${vf} ${about}: ${message}`);
}

/** One Event for each kind of difference: a PF without link is one, not one for each of its VFs. */
export function listEvents(before: Told, after: Told): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  const add = (type: ClusterEvent["type"], reason: ClusterEvent["reason"], message: string): void =>
    void events.push({ type, reason, message: message.slice(0, longest) });
  const worse = [...after.unhealthy].filter(([id, reason]) => before.unhealthy.get(id) !== reason);
  for (const [reason, devices] of Map.groupBy(worse, ([, words]) => words))
    add("Warning", "DevicesUnhealthy", `${reason}: ${devices.map(([id]) => id).join(", ")}`);
  const better = [...before.unhealthy.keys()].filter((id) => !after.unhealthy.has(id));
  if (better.length > 0) add("Normal", "DevicesHealthy", `healthy again or gone: ${better.join(", ")}`);
  if (after.configProblem !== before.configProblem) {
    if (after.configProblem === undefined)
      add("Normal", "ConfigurationInForce", "the resource configuration is in force as it stands");
    else add("Warning", "ConfigurationRefused", after.configProblem);
  }
  const known = new Set(before.unrecorded.map(nameUnrecorded));
  for (const name of after.unrecorded.map(nameUnrecorded))
    if (!known.has(name)) add("Warning", "VfNotAttached", name);
  for (const words of after.tuning)
    if (!before.tuning.includes(words)) add("Warning", "TuningFellShort", words);
  return events;
}

function nameUnrecorded({ namespace, pod, resource, address }: UnrecordedDevice): string {
  return `pod ${namespace}/${pod} has ${address} of ${resource} by the kubelet, and nothing attached it`;
}
