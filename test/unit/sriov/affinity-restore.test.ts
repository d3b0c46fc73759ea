// Interrupts are put back while the kernel still takes a write, and later where it does not.

import { describe, expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { restoreAffinities } from "../../../sriov/affinity-restore.ts";
import { readAttachment } from "../../../sriov/attachment-store.ts";
import { readVf } from "../../../sriov/inventory.ts";
import { openOwnerNetns, releaseAttachment } from "../../../sriov/release.ts";
import { readTuningRecord, writeTuningRecord } from "../../../sriov/tuning-store.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** A kernel in which a change of `irq` still waits for an interrupt that does not come: what is written now does not show. */
function withWaitingMove(node: TuningNode, irq: number | undefined): Host {
  const files: Host["files"] = {
    ...node.host.files,
    writeText(path, text) {
      if (!path.endsWith(`/irq/${irq}/smp_affinity_list`)) node.host.files.writeText(path, text);
    },
  };
  return { ...node.host, files };
}

describe("restoreAffinities", () => {
  test("puts back each vector that the record knows, one that fails notwithstanding", async () => {
    using node = createTuningNode(1);
    node.attach(0, "web-1");
    await passOnce(node.host);
    const vf = readVf(node.host, node.address(0));
    if (vf !== undefined) restoreAffinities(withWaitingMove(node, node.irqs(0)[0]), vf);
    expect(node.affinities(0)).toBe("0 0-3 0-3");
  });

  test("leaves a VF alone that tuning did not touch, or that is another one than it touched", async () => {
    using node = createTuningNode(1);
    const vf = readVf(node.host, node.address(0));
    if (vf === undefined) throw new Error("no VF");
    node.attach(0, "web-1");
    restoreAffinities(node.host, vf);
    await passOnce(node.host);
    const saved = readTuningRecord(node.host, vf.address);
    if (saved !== undefined) writeTuningRecord(node.host, { ...saved, inode: "1" });
    restoreAffinities(node.host, vf);
    expect(node.affinities(0)).toBe("0 1 0-3");
  });

  test("leaves to tuning what it cannot look at: that keeps no VF from coming home", async () => {
    using node = createTuningNode(1);
    const record = node.attach(0, "web-1");
    await passOnce(node.host);
    const files: Host["files"] = {
      ...node.host.files,
      list(path) {
        if (path.endsWith("/msi_irqs")) throw new SystemCallError("readdir", path, "EMFILE");
        return node.host.files.list(path);
      },
    };
    using netns = openOwnerNetns(node.host, record);
    await releaseAttachment({ ...node.host, files }, record, netns);
    expect([readAttachment(node.host, node.address(0)), node.affinities(0)]).toEqual([undefined, "0 1 0-3"]);
    await passOnce(node.host);
    expect(node.affinities(0)).toBe("0-3 0-3 0-3");
  });
});

test("releasing a VF puts its interrupts back before its netdev leaves the pod", async () => {
  using node = createTuningNode(1);
  const record = node.attach(0, "web-1");
  await passOnce(node.host);
  const irqWhenMoved: string[] = [];
  const host: Host = {
    ...node.host,
    openNetlink: (netns) => {
      const netlink = node.host.openNetlink(netns);
      return {
        ...netlink,
        moveLink: (index, target, name) => {
          irqWhenMoved.push(node.affinities(0));
          netlink.moveLink(index, target, name);
        },
      };
    },
  };
  using netns = openOwnerNetns(host, record);
  await releaseAttachment(host, record, netns);
  expect(irqWhenMoved).toEqual(["0-3 0-3 0-3"]);
});

test("what does not take while the VF is closed stays remembered, for the next pod too, and is put back later", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  await passOnce(node.host);
  node.detach(0, "web-1");
  const { problems } = await passOnce(withWaitingMove(node, node.irqs(0)[0]));
  expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual(["vector 0 ERR_AFFINITY_PENDING"]);
  expect(node.affinities(0)).toBe("0 0-3 0-3");
  node.attach(0, "web-2");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("0 1 0-3");
  node.detach(0, "web-2");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("0-3 0-3 0-3");
  expect(readTuningRecord(node.host, node.address(0))).toBeUndefined();
});

test("one whose CPUs are all offline by now goes where the kernel had put it: anywhere", async () => {
  using node = createTuningNode(1);
  node.open(0, "ens1f0v0", "6");
  node.attach(0, "web-1");
  await passOnce(node.host);
  node.setOnline("0-5,7");
  node.detach(0, "web-1");
  const files: Host["files"] = {
    ...node.host.files,
    writeText(path, text) {
      if (path.endsWith("/smp_affinity_list") && text === "6")
        throw new SystemCallError("write", path, "EINVAL");
      node.host.files.writeText(path, text);
    },
  };
  const { restored } = await passOnce({ ...node.host, files });
  expect([...restored.values()]).toEqual([{ result: "restored", writes: 2, problems: [] }]);
  expect(node.affinities(0)).toBe("0-5,7 0-5,7 6");
  expect(readTuningRecord(node.host, node.address(0))).toBeUndefined();
});

test("a pin that reads back differently is tried again soon", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const { isUnfinished, problems } = await passOnce(withWaitingMove(node, node.irqs(0)[1]));
  expect(isUnfinished).toBe(true);
  expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual(["vector 1 PARTIAL"]);
});
