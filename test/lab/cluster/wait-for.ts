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

export interface PodName {
  readonly name: string;
  readonly namespace?: string;
}

export async function getPod(kubectl: Kubectl, { name, namespace = "default" }: PodName): Promise<Pod> {
  return await kubectl.getJson<Pod>(["get", "pod", name, "-n", namespace]);
}

/** The pod once `holds` is true of it; the error shows its phase, conditions and container states. */
export async function waitForPod(
  kubectl: Kubectl,
  pod: PodName,
  holds: (pod: Pod) => boolean,
  options: WaitOptions,
): Promise<Pod> {
  return await waitUntil(
    `pod ${pod.name}`,
    async () => {
      const now = await getPod(kubectl, pod);
      if (!holds(now)) throw new Error(describePod(now));
      return now;
    },
    options,
  );
}

/** For waitForPod: every container of the pod is ready. */
export function isReady(pod: Pod): boolean {
  return conditionOf(pod.status.conditions, "Ready")?.status === "True";
}

/** For waitForPod: no node has room for the pod, for a reason that contains `text`. */
export function isUnschedulable(text: string): (pod: Pod) => boolean {
  return (pod) => {
    const scheduled = conditionOf(pod.status.conditions, "PodScheduled");
    return scheduled?.status === "False" && (scheduled.message ?? "").includes(text);
  };
}

/** The pod's object is gone. */
export async function waitForNoPod(
  kubectl: Kubectl,
  { name, namespace = "default" }: PodName,
  options: WaitOptions,
): Promise<void> {
  await waitUntil(
    `pod ${name} to be gone`,
    async () => {
      const left = await kubectl.run([
        "get",
        "pod",
        name,
        "-n",
        namespace,
        "--ignore-not-found",
        "-o",
        "name",
      ]);
      if (left !== "") throw new Error(describePod(await getPod(kubectl, { name, namespace })));
    },
    options,
  );
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
