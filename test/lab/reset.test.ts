// The node's reset button while pods have VFs, some of them on the disk and some not yet: all come back with VFs.
import { afterAll, beforeAll, expect, test } from "vitest";
import { isReady, type Pod } from "./cluster/wait-for.ts";
import { vfDeployment } from "./demo/manifests.ts";
import { readPodVfs } from "./demo/pod-vfs.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";
import { type Leftovers, readLeftovers } from "./support/node-leftovers.ts";
import { waitUntil } from "./wait-until.ts";

const lab = await openLabUnderTest();
const synced = "on-the-disk";
const unsynced = "not-yet-on-the-disk";
const deployments = [synced, unsynced] as const;
const replicas = 2;
const backWithinMs = 240_000;

let old: readonly Pod[] = [];
/** What the pods of `synced` had on the disk when it was synced. */
let saved: Leftovers = { records: [], leases: [] };

beforeAll(async () => {
  await start(synced);
  const first = await waitForPods([synced], []);
  await lab.node.run("sync");
  saved = await readLeftovers(lab.node);
  await start(unsynced);
  old = [...first, ...(await waitForPods([unsynced], []))];
  await lab.node.reset({ sync: false });
});

afterAll(async () => {
  await lab.kubectl.run(["delete", "deployment", ...deployments, "--cascade=foreground"], {
    timeoutMs: 120_000,
  });
  const ofThem = ["-l", `app in (${deployments.join(",")})`, "--ignore-not-found"];
  await lab.kubectl.run(["delete", "pod", ...ofThem], { timeoutMs: 120_000 });
});

test("after a reset the pods of a Deployment come back with VFs, and nothing of the old ones is left", async ({
  annotate,
}) => {
  const fresh = await waitForPods(deployments, old);
  const { records, leases } = await waitForOwners(fresh);
  expect(records).toHaveLength(fresh.length);
  // What was on the disk is given back: no record or lease of the synced pods, whole or emptied, is there any more.
  const texts = new Set([...records, ...leases].map(({ text }) => text));
  expect(saved.records.length + saved.leases.length).toBe(2 * replicas);
  expect([...saved.records, ...saved.leases].filter(({ text }) => texts.has(text))).toEqual([]);
  const empty = leases.filter((lease) => lease.text === "").map((lease) => lease.path);
  const wereSaved = new Set(saved.leases.map(({ path }) => path));
  expect(empty.filter((path) => wereSaved.has(path))).toEqual([]);
  await annotate(
    empty.length === 0 ? "no lease was emptied" : `leases of 0 bytes, leaked for good: ${empty.join(" ")}`,
  );
});

async function start(name: string): Promise<void> {
  await lab.kubectl.apply([vfDeployment({ name, replicas, vfs: 1, image: lab.toolsImage })]);
}

/** The ready pods of these Deployments once there are enough that are not among `before`, each with one VF inside. */
async function waitForPods(names: readonly string[], before: readonly Pod[]): Promise<readonly Pod[]> {
  const oldUids = new Set(before.map((pod) => pod.metadata.uid));
  const wanted = names.length * replicas;
  const look = async (): Promise<readonly Pod[]> => {
    const { items } = await lab.kubectl.getJson<{ readonly items: readonly Pod[] }>([
      "get",
      "pod",
      "-l",
      `app in (${names.join(",")})`,
    ]);
    const ready = items.filter(
      (pod) => isReady(pod) && !oldUids.has(pod.metadata.uid) && pod.metadata.deletionTimestamp === undefined,
    );
    if (ready.length !== wanted)
      throw new Error(
        items.map((pod) => `${pod.metadata.name} ${pod.status.phase} ${pod.status.reason ?? ""}`).join(", "),
      );
    const vfs = await readPodVfs(
      lab,
      ready.map((pod) => pod.metadata.name),
    );
    if (vfs.length !== wanted) throw new Error(`${ready.length} pods have ${vfs.length} VFs`);
    return ready;
  };
  return await waitUntil(`${wanted} new pods of ${names.join(" ")}`, look, {
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
