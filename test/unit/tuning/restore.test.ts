// What is put back of one VF, and what is not: while a pod has it, or may have.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { restoreVf } from "../../../tuning/restore.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** A node with a pod whose VF is tuned. */
async function tuned(): Promise<TuningNode> {
  const node = createTuningNode(1);
  node.attach(0, "web-1");
  await passOnce(node.host);
  return node;
}

async function restore(node: TuningNode, evenInPods: Parameters<typeof restoreVf>[2]["evenInPods"]) {
  const { result } = await restoreVf(node.host, node.address(0), { evenInPods, lockTimeoutMs: 0 });
  return [result, node.affinities(0), node.mask("web-1")];
}

const pinned = ["0 1 0-3", "0,2-3"];
const before = ["0-3 0-3 0-3", ""];

test("a VF that a pod has is left alone, unless its policy, or the caller, says otherwise", async () => {
  using node = await tuned();
  expect(await restore(node, () => false)).toEqual(["held", ...pinned]);
  expect(await restore(node, ({ owner }) => owner.pod?.name === "web-2")).toEqual(["held", ...pinned]);
  expect(await restore(node, ({ owner }) => owner.pod?.name === "web-1")).toEqual(["restored", ...before]);
});

test("so is one whose record can't be read, whatever the policy says; --restore puts its interrupts back, and no masks", async () => {
  using node = await tuned();
  fs.writeFileSync(join(node.host.paths.attachments, `${node.address(0)}.json`), "");
  expect(await restore(node, () => true)).toEqual(["held", ...pinned]);
  expect(await restore(node, "all")).toEqual(["restored", before[0], pinned[1]]);
});

test("what the CNI works on is left to it", async () => {
  using node = await tuned();
  using _lock = await node.host.locks.acquire(node.address(0));
  expect(await restore(node, "all")).toEqual(["busy", ...pinned]);
});

test("a failure keeps the note, and the next try puts back what is left", async () => {
  using node = await tuned();
  const { files } = node.host;
  const writeText: typeof files.writeText = (path, text) => {
    if (path.endsWith(`/${node.irqs(0)[1]}/smp_affinity_list`))
      throw new SystemCallError("write", path, "EIO");
    files.writeText(path, text);
  };
  const host = { ...node.host, files: { ...files, writeText } };
  const { result, problems } = await restoreVf(host, node.address(0), {
    evenInPods: "all",
    lockTimeoutMs: 0,
  });
  expect([result, ...problems.map(({ about, code }) => `${about} ${code}`)]).toEqual([
    "incomplete",
    "vector 1 EIO",
  ]);
  expect([node.affinities(0), node.mask("web-1")]).toEqual(["0-3 1 0-3", ""]);
  expect(await restore(node, "all")).toEqual(["restored", ...before]);
});
