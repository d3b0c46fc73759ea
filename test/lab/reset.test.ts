// The node's reset button while pods have VFs, after a sync and without: the pods of a Deployment come back with VFs.
import { afterAll, beforeAll, expect, test } from "vitest";
import { isReady, type Pod } from "./cluster/wait-for.ts";
import { vfDeployment } from "./demo/manifests.ts";
import { readPodVfs } from "./demo/pod-vfs.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";
import { type Leftovers, readLeftovers } from "./support/node-leftovers.ts";
import { waitUntil } from "./wait-until.ts";

const lab = await openLabUnderTest();
const name = "comes-back";
const replicas = 2;
const backWithinMs = 240_000;

beforeAll(async () => {
  await lab.kubectl.apply([vfDeployment({ name, replicas, vfs: 1, image: lab.toolsImage })]);
});

afterAll(async () => {
  await lab.kubectl.run(["delete", "deployment", name, "--cascade=foreground"], { timeoutMs: 120_000 });
  await lab.kubectl.run(["delete", "pod", "-l", `app=${name}`, "--ignore-not-found"], { timeoutMs: 120_000 });
});

test("after a sync: new pods have VFs, and nothing of the old ones is left", async () => {
  const old = await waitForPods([]);
  await lab.node.reset({ sync: true });
  const fresh = await waitForPods(old);
  const { records, leases } = await waitForOwners(fresh);
  expect([records.length, leases.length]).toEqual([replicas, replicas]);
});

test("without a sync: an empty record harms nothing, an empty lease is named", async ({ annotate }) => {
  const old = await waitForPods([]);
  await lab.kubectl.run(["rollout", "restart", `deployment/${name}`]);
  const youngest = await waitForPods(old);
  await lab.node.reset({ sync: false });
  const fresh = await waitForPods([...old, ...youngest]);
  const { records, leases } = await waitForOwners(fresh);
  expect(records).toHaveLength(replicas);
  const empty = leases.filter((lease) => lease.text === "").map((lease) => lease.path);
  await annotate(
    empty.length === 0 ? "no lease was emptied" : `leases of 0 bytes, leaked for good: ${empty.join(" ")}`,
  );
});

/** The Deployment's ready pods once there are enough that are not among `old`, each with one VF inside. */
async function waitForPods(old: readonly Pod[]): Promise<readonly Pod[]> {
  const oldUids = new Set(old.map((pod) => pod.metadata.uid));
  const look = async (): Promise<readonly Pod[]> => {
    const { items } = await lab.kubectl.getJson<{ readonly items: readonly Pod[] }>([
      "get",
      "pod",
      "-l",
      `app=${name}`,
    ]);
    const ready = items.filter(
      (pod) => isReady(pod) && !oldUids.has(pod.metadata.uid) && pod.metadata.deletionTimestamp === undefined,
    );
    if (ready.length !== replicas)
      throw new Error(
        items.map((pod) => `${pod.metadata.name} ${pod.status.phase} ${pod.status.reason ?? ""}`).join(", "),
      );
    const vfs = await readPodVfs(
      lab,
      ready.map((pod) => pod.metadata.name),
    );
    if (vfs.length !== replicas) throw new Error(`${ready.length} pods have ${vfs.length} VFs`);
    return ready;
  };
  return await waitUntil(`${replicas} new pods of ${name}`, look, {
    timeoutMs: backWithinMs,
    intervalMs: 2000,
  });
}

/** The records, and the leases that are not empty, are those of `pods` and of nobody else. */
async function waitForOwners(pods: readonly Pod[]): Promise<Leftovers> {
  const uids = pods.map((pod) => pod.metadata.uid).toSorted();
  const look = async (): Promise<Leftovers> => {
    const left = await readLeftovers(lab.node);
    const records = left.records.map(
      ({ text }) =>
        JSON.parse(text) as {
          readonly owner: { readonly containerId: string; readonly pod: { readonly uid: string } };
        },
    );
    expect(records.map((record) => record.owner.pod.uid).toSorted()).toEqual(uids);
    const leases = left.leases
      .filter(({ text }) => text !== "")
      .map(({ text }) => text.split(/\r?\n/)[0] ?? "");
    expect(leases.toSorted()).toEqual(records.map((record) => record.owner.containerId).toSorted());
    return left;
  };
  return await waitUntil("records and leases of the new pods only", look, {
    timeoutMs: 120_000,
    intervalMs: 2000,
  });
}
