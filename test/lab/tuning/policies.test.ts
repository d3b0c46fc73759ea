// Each policy on the node: where the interrupts of a pod with CPUs of its own go, and those of one that shares.
import { afterAll, beforeAll, expect, test } from "vitest";
import { readContainer } from "../support/product-pod.ts";
import { productNamespace } from "../demo/install.ts";
import { podDefaults, resource, vfContainer } from "../demo/manifests.ts";
import { isQueue, readPodVfs } from "../demo/pod-vfs.ts";
import { deletePods, waitForReadyPods } from "../demo/pods.ts";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { waitUntil } from "../wait-until.ts";

const lab = await openLabUnderTest();
const { kubectl, node } = lab;
const nodeConfig = "/etc/virtfn/node.yaml";
/** Its annotation asks for a policy of its own; the others follow node.yaml. */
const pods = ["own-cpu", "shares", "asks"] as const;
let before = "";

beforeAll(async () => {
  before = await readVfState(node);
  const limits = { cpu: "1", memory: "64Mi", [resource]: "1" };
  await kubectl.apply([
    podOf("own-cpu", { limits }),
    podOf("shares", { limits: { [resource]: "1" } }),
    podOf("asks", { limits: { [resource]: "1" } }, { "virtfn/irq-policy": "follow-pod" }),
  ]);
  await waitForReadyPods(lab, pods);
});

afterAll(async () => {
  await deletePods(lab, pods);
  await node.run(`rm -f ${nodeConfig}`);
  await waitForVfState(node, before);
});

test("the kubelet gave the first pod CPU 1 for itself", async () => {
  expect(
    await kubectl.execInPod({ pod: "own-cpu" }, ["grep", "Cpus_allowed_list", "/proc/self/status"]),
  ).toMatch(/\t1$/);
});

// The VFs are on NUMA node 0 (CPUs 0-1, which share a cache and are no siblings), each with two queue vectors. CPU 0 is everybody's: the
// third pod, whose wish cannot be met, has its interrupts there, so that an even load leaves CPU 1 to the pod that owns it.
test.each([
  ["numa-spread", "", { "own-cpu": ["1", "1"], shares: ["0", "0"] }],
  ["housekeeping", "", { "own-cpu": ["0", "0"], shares: ["0", "0"] }],
  ["follow-pod", "", { "own-cpu": ["1", "1"], shares: ["0", "0"] }],
  ["pod-sibling", "", { "own-cpu": ["0", "0"], shares: ["0", "0"] }],
  ["pod-first-core", "", { "own-cpu": ["1", "1"], shares: ["0", "0"] }],
  ["dedicated", "", { "own-cpu": ["0", "0"], shares: ["0", "0"] }],
  ["explicit", "cpus: 3", { "own-cpu": ["3", "3"], shares: ["3", "3"] }],
  // The kernel by itself: any CPU of the device's node.
  ["none", "", { "own-cpu": ["0-1", "0-1"], shares: ["0-1", "0-1"] }],
] as const)("%s", async (policy, more, expected) => {
  await node.run(`mkdir -p /etc/virtfn; printf '%s\\n' 'tuning:' '  policy: ${policy}' ${more === "" ? "" : `'  ${more}'`} >${nodeConfig}.new
    mv ${nodeConfig}.new ${nodeConfig}`);
  const look = async (): Promise<void> => {
    const vfs = await readPodVfs(lab, ["own-cpu", "shares"]);
    const found = vfs.map(({ pod, vectors }) => {
      const queues = vectors.filter(isQueue);
      return [pod, queues.map(({ cpus }) => cpus).toSorted()] as const;
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  };
  await waitUntil(`the pins of ${policy}`, look, { timeoutMs: 45_000, intervalMs: 500 });
});

test("a pod's own wish that cannot be met falls back, and the report says to what and why", async () => {
  const { pod } = await readContainer(lab, "tuning");
  const report = await kubectl.execInPod({ pod, namespace: productNamespace, container: "tuning" }, [
    "virtfn",
    "tuning",
    "--once",
    "--dry-run",
  ]);
  expect(report).toContain("FALLBACK: the pod has no CPUs for itself, using numa-spread");
});

function podOf(name: string, resources: object, annotations: object = {}): object {
  const container = { ...vfContainer({ name: "main", image: lab.toolsImage, vfs: 0 }), resources };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, annotations },
    spec: { ...podDefaults, containers: [container] },
  };
}
