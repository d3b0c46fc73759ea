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
const patience = { timeoutMs: 45_000, intervalMs: 500 };
let before = "";
/** Where the queues' interrupts are when nothing has pinned them yet. */
let unpinned: Awaited<ReturnType<typeof readQueues>> = [];

beforeAll(async () => {
  before = await readVfState(node);
  await choose("none");
  const limits = { cpu: "1", memory: "64Mi", [resource]: "1" };
  await kubectl.apply([
    podOf("own-cpu", { limits }),
    podOf("shares", { limits: { [resource]: "1" } }),
    podOf("asks", { limits: { [resource]: "1" } }, { "virtfn/irq-policy": "follow-pod" }),
  ]);
  await waitForReadyPods(lab, pods);
  await waitUntil("none of them pinned", readUnpinned, patience);
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
] as const)("%s", async (policy, more, expected) => {
  await choose(policy, more);
  await waitUntil(
    `the pins of ${policy}`,
    async () => {
      const vfs = await readQueues();
      const found = vfs.map(({ pod, queues }) => [pod, queues.map(({ cpus }) => cpus).toSorted()] as const);
      expect(Object.fromEntries(found)).toEqual(expected);
    },
    patience,
  );
});

test("none: each is where it was before", async () => {
  await choose("none");
  await waitUntil("the pins of none", async () => expect(await readQueues()).toEqual(unpinned), patience);
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

async function choose(policy: string, more = ""): Promise<void> {
  await node.run(`mkdir -p /etc/virtfn; printf '%s\\n' 'tuning:' '  policy: ${policy}' ${more === "" ? "" : `'  ${more}'`} >${nodeConfig}.new
    mv ${nodeConfig}.new ${nodeConfig}`);
}

/** The queues' vectors of the pods that follow node.yaml. */
async function readQueues() {
  const vfs = await readPodVfs(lab, ["own-cpu", "shares"]);
  return vfs.map(({ pod, pciAddress, vectors }) => ({ pod, pciAddress, queues: vectors.filter(isQueue) }));
}

async function readUnpinned(): Promise<void> {
  const records = (await readQueues()).map(({ pciAddress }) => `/var/lib/virtfn/tuning/${pciAddress}.json`);
  expect(await node.run(`ls ${records.join(" ")} 2>/dev/null || :`)).toBe("");
  unpinned = await readQueues();
}

function podOf(name: string, resources: object, annotations: object = {}): object {
  const container = { ...vfContainer({ name: "main", image: lab.toolsImage, vfs: 0 }), resources };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, annotations },
    spec: { ...podDefaults, containers: [container] },
  };
}
