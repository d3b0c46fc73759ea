// Interrupts that go while they are looked at, and some that can't be looked at.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { withFault } from "../../support/faults.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** The node where what is in the folder of an interrupt can't be read. */
function unreadable(node: TuningNode, irq: number | undefined, errno: string): Host {
  const files: Host["files"] = {
    ...node.host.files,
    readText(path) {
      if (path.includes(`/proc/irq/${irq}/`)) throw new SystemCallError("read", path, errno);
      return node.host.files.readText(path);
    },
  };
  return { ...node.host, files };
}

// EIO: it went between open and read. Source: kernel fs/proc/inode.c, proc_reg_read.
test.each([
  ["EIO", []],
  ["EMFILE", ["vectors EMFILE"]],
])("with %s nothing of its VF is written, and another pass follows soon", async (errno, expected) => {
  using node = createTuningNode(2, "ice");
  node.attach(0, "web-1");
  node.attach(1, "web-2");
  await passOnce(node.host);
  const before = [node.affinities(0), node.affinities(1), node.mask("web-1")];
  const { host, calls } = withFault(unreadable(node, node.irqs(0)[1], errno));
  const { problems, isUnfinished } = await passOnce(host);
  expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual(expected);
  expect(isUnfinished).toBe(true);
  expect(calls.filter((call) => /write|remove|rename/i.test(call))).toEqual([]);
  expect([node.affinities(0), node.affinities(1), node.mask("web-1")]).toEqual(before);
});

/** As while a driver resets its device. */
function withoutIrqs(node: TuningNode, vf: number): Host {
  const files: Host["files"] = {
    ...node.host.files,
    list: (path) => (path.endsWith(`/${node.address(vf)}/msi_irqs`) ? undefined : node.host.files.list(path)),
  };
  return { ...node.host, files };
}

test.each([
  ["can't be looked at", (node: TuningNode) => unreadable(node, node.irqs(2)[1], "EMFILE")],
  ["are gone for a moment", (node: TuningNode) => withoutIrqs(node, 2)],
])("where those of one VF %s, those of the others stay where they are", async (_, losing) => {
  using node = createTuningNode(3);
  const look = (): readonly string[] => [0, 1, 2].map((vf) => node.affinities(vf));
  for (const vf of [0, 1, 2]) node.attach(vf, `web-${vf}`);
  await passOnce(node.host);
  const before = look();
  expect(before).toEqual(["0 1 0-3", "1 0 0-3", "2 3 0-3"]);
  await passOnce(losing(node));
  expect(look()).toEqual(before);
  await passOnce(node.host);
  expect(look()).toEqual(before);
});

// EIO: it went between open and write. Source: kernel fs/proc/inode.c, proc_reg_write.
test.each(["EIO", "ENOENT"])(
  "one that goes while it is pinned (%s) is looked at again soon, and is pinned when it is back under its number",
  async (errno) => {
    using node = createTuningNode(1);
    node.attach(0, "web-1");
    const folder = join(node.fake.root, `proc/irq/${node.irqs(0)[1]}`);
    const files: Host["files"] = {
      ...node.host.files,
      writeText(path, text) {
        if (!path.startsWith(folder)) return node.host.files.writeText(path, text);
        fs.renameSync(folder, `${folder}-gone`);
        throw new SystemCallError("write", path, errno);
      },
    };
    const memory = createPassMemory(node.host);
    const { isUnfinished } = await passOnce({ ...node.host, files }, memory);
    fs.renameSync(`${folder}-gone`, folder);
    expect([isUnfinished, node.affinities(0)]).toEqual([true, "0 0-3 0-3"]);
    const { problems } = await passOnce(node.host, memory);
    expect([problems, node.affinities(0)]).toEqual([[], "0 1 0-3"]);
  },
);
