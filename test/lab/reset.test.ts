// The node's reset button while pods have VFs, some of them on the disk and some not yet: all come back with VFs.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Pod } from "./cluster/wait-for.ts";
import { vfDeployment } from "./demo/manifests.ts";
import { waitForFreshPods, waitForOwners } from "./support/deployment-pods.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";
import { type Leftovers, readLeftovers } from "./support/node-leftovers.ts";

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
  // host-local's leases that lost their content in the reset are nobody's: another test would find them.
  await lab.node.run("find /var/lib/cni/networks -name '10.*' -empty -delete");
});

test("after a reset the pods of a Deployment come back with VFs, and nothing of the old ones is left", async ({
  annotate,
}) => {
  const fresh = await waitForPods(deployments, old);
  const { records, leases } = await waitForOwners(lab, fresh);
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

/** The ready pods of these Deployments that are not among `before`, once there are as many as they shall have. */
async function waitForPods(names: readonly string[], before: readonly Pod[]): Promise<readonly Pod[]> {
  const wanted = names.length * replicas;
  return await waitForFreshPods(lab, names, { wanted, before, timeoutMs: backWithinMs });
}
