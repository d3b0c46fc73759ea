// Waiting for nodes and pods; each error says what the cluster showed instead.
import { type WaitOptions, waitUntil } from "../wait-until.ts";
import type { Kubectl } from "./kubectl.ts";

/** The fields of a pod that the lab reads. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
    readonly reason?: string;
    readonly message?: string;
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly ready: boolean;
      readonly restartCount: number;
      readonly containerID?: string;
      readonly state: object;
    }[];
  };
}

interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
}

/** The fields of a node that the lab reads. */
export interface Node {
  readonly status: {
    readonly conditions: readonly Condition[];
    readonly allocatable: Readonly<Record<string, string>>;
  };
}

/** The pods of the default namespace that have one of the names; those that are missing are left out. */
export async function getPods(kubectl: Kubectl, names: readonly string[]): Promise<readonly Pod[]> {
  const text = await kubectl.run(["get", "pod", "--ignore-not-found", "-o", "json", ...names]);
  if (text === "") return [];
  const answer: Pod | { readonly items: readonly Pod[] } = JSON.parse(text);
  return "items" in answer ? answer.items : [answer];
}

/**
 * The pods once `holds` is true of every one; looked at with one call for all of them, since kubectl costs more than the API server.
 * The error shows phase, conditions and container states of the others.
 */
export async function waitForPods(
  kubectl: Kubectl,
  names: readonly string[],
  holds: (pod: Pod) => boolean,
  options: WaitOptions,
): Promise<readonly Pod[]> {
  const look = async (): Promise<readonly Pod[]> => {
    const pods = await getPods(kubectl, names);
    const others = pods.filter((pod) => !holds(pod));
    if (others.length > 0) throw new Error(others.map(describePod).join("\n"));
    if (pods.length < names.length) throw new Error(`${pods.length} of ${names.length} exist`);
    return pods;
  };
  return await waitUntil(`pods ${names.join(" ")}`, look, { intervalMs: 1000, ...options });
}

/** The pods' objects are gone. */
export async function waitForNoPods(
  kubectl: Kubectl,
  names: readonly string[],
  options: WaitOptions,
): Promise<void> {
  const look = async (): Promise<void> => {
    const left = await getPods(kubectl, names);
    if (left.length > 0) throw new Error(left.map(describePod).join("\n"));
  };
  await waitUntil(`end of pods ${names.join(" ")}`, look, { intervalMs: 1000, ...options });
}

/** For waitForPods: every container of the pod is ready. */
export function isReady(pod: Pod): boolean {
  return conditionOf(pod.status.conditions, "Ready")?.status === "True";
}

/** For waitForPods: no node has room for the pod, for a reason that contains `text`. */
export function isUnschedulable(text: string): (pod: Pod) => boolean {
  return (pod) => {
    const scheduled = conditionOf(pod.status.conditions, "PodScheduled");
    return scheduled?.status === "False" && (scheduled.message ?? "").includes(text);
  };
}

/** The node is Ready and has at least these quantities allocatable, like `{"sriov/vf": 7}`. */
export async function waitForNode(
  kubectl: Kubectl,
  name: string,
  allocatable: Readonly<Record<string, number>>,
  options: WaitOptions,
): Promise<Node> {
  return await waitUntil(
    `node ${name}`,
    async () => {
      const node = await kubectl.getJson<Node>(["get", "node", name]);
      const ready = conditionOf(node.status.conditions, "Ready");
      if (ready?.status !== "True") throw new Error(`not Ready: ${ready?.message ?? "no condition yet"}`);
      for (const [resource, wanted] of Object.entries(allocatable)) {
        const got = node.status.allocatable[resource] ?? "none";
        if (got !== String(wanted))
          throw new Error(`allocatable ${resource}: expected ${wanted}, got ${got}`);
      }
      return node;
    },
    options,
  );
}

/** Service accounts appear seconds after the controller manager; pods applied before are refused. */
export async function waitForServiceAccount(
  kubectl: Kubectl,
  namespace: string,
  options: WaitOptions,
): Promise<void> {
  await waitUntil(
    `service account ${namespace}/default`,
    () => kubectl.run(["get", "serviceaccount", "default", "-n", namespace]),
    options,
  );
}

function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

function describePod({ status, metadata }: Pod): string {
  const conditions = (status.conditions ?? []).filter((condition) => condition.status !== "True");
  return [
    `${metadata.name} is ${status.phase}${metadata.deletionTimestamp === undefined ? "" : " and being deleted"}`,
    status.reason,
    status.message,
    ...conditions.map((condition) =>
      `${condition.type}: ${condition.reason ?? ""} ${condition.message ?? ""}`.trim(),
    ),
    ...(status.containerStatuses ?? []).map(
      (container) => `${container.name}: ${JSON.stringify(container.state)}`,
    ),
  ]
    .filter(Boolean)
    .join("; ");
}
