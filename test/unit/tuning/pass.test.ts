// One pass over a fake node: pins, masks, what is remembered, what is put back.

import * as fs from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { readAttachment, writeAttachment } from "../../../sriov/attachment-store.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { readTuningRecord } from "../../../sriov/tuning-store.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";

/** The node with a kernel that refuses to move one interrupt. */
function refusing(
  node: TuningNode,
  irq: number | undefined,
  errno: string,
): { host: Host; attempts: () => number } {
  let attempts = 0;
  const files: Host["files"] = {
    ...node.host.files,
    writeText(path, text) {
      if (path.endsWith(`/${irq}/smp_affinity_list`)) {
        attempts += 1;
        throw new SystemCallError("write", path, errno);
      }
      node.host.files.writeText(path, text);
    },
  };
  return { host: { ...node.host, files }, attempts: () => attempts };
}

describe("a pass", () => {
  test("pins each queue vector of each VF to a CPU of its own on the VF's node, and leaves the mailbox", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    node.attach(1, "web-2");
    await passOnce(node.host);
    expect(node.affinities(0)).toBe("0 1 0-3");
    expect(node.affinities(1)).toBe("2 3 0-3");
  });

  test("steers packets to the other CPUs of the node when there are more CPUs than queues", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    await passOnce(node.host);
    expect(node.mask("web-1")).toBe("0,2-3");
  });

  test("finds nothing left to do afterwards", async () => {
    using node = createTuningNode();
    for (const [vf, pod] of ["a", "b", "c"].entries()) node.attach(vf, pod);
    await passOnce(node.host);
    expect(await listWrites(node)).toEqual([]);
  });

  test("of a new process takes the pins over without a write", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    await passOnce(node.host);
    node.fake.endProcess();
    expect(await listWrites(node)).toEqual([]);
  });

  test("pins interrupts that came back under new numbers, as after a reset: nobody undid their pins", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    const memory = createPassMemory(node.host);
    await passOnce(node.host, memory);
    const folder = join(node.fake.root, "sys/bus/pci/devices", node.address(0), "msi_irqs");
    for (const irq of node.irqs(0)) fs.renameSync(join(folder, `${irq}`), join(folder, `${irq + 900}`));
    node.open(0, "net1");
    expect(node.affinities(0)).toBe("0-3 0-3 0-3");
    // The one that finds them can't pin them.
    const lock = await node.host.locks.acquire(node.address(0));
    const undone = [(await passOnce(node.host, memory)).undone, (await passOnce(node.host, memory)).undone];
    lock[Symbol.dispose]();
    await passOnce(node.host, memory);
    expect(node.affinities(0)).toBe("0 1 0-3");
    expect(undone.map(({ size }) => size)).toEqual([0, 0]);
    node.setAffinity(0, 1, "3");
    expect([...(await passOnce(node.host, memory)).undone.values()]).toEqual([[1]]);
  });

  test("saves what was there before the first write, and puts it back when the pod is gone", async () => {
    using node = createTuningNode();
    const irq = node.irqs(0)[1];
    node.open(0, "ens1f0v0");
    fs.writeFileSync(join(node.fake.root, `proc/irq/${irq}/smp_affinity_list`), "2-3\n");
    node.attach(0, "web-1");
    await passOnce(node.host);
    expect(readTuningRecord(node.host, node.address(0))?.vectors).toEqual([
      { msiIndex: 0, original: "0-3", cpu: 0 },
      { msiIndex: 1, original: "2-3", cpu: 1 },
    ]);
    node.detach(0, "web-1");
    const { restored } = await passOnce(node.host);
    expect([...restored.values()]).toEqual([{ result: "restored", writes: 2, problems: [] }]);
    expect(node.affinities(0)).toBe("0-3 2-3 0-3");
    expect(readTuningRecord(node.host, node.address(0))).toBeUndefined();
  });

  test("keeps the first original when the next pod gets the VF before tuning saw the last one go", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    await passOnce(node.host);
    node.detach(0, "web-1");
    node.attach(0, "web-2");
    await passOnce(node.host);
    expect(node.mask("web-2")).toBe("0,2-3");
    node.detach(0, "web-2");
    await passOnce(node.host);
    expect(node.affinities(0)).toBe("0-3 0-3 0-3");
  });

  test("is unfinished while the driver has not registered its handlers, and pins when it has", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    for (const irq of node.irqs(0)) fs.rmSync(join(node.fake.root, `proc/irq/${irq}`), { recursive: true });
    expect((await passOnce(node.host)).isUnfinished).toBe(true);
    node.open(0, "net1");
    expect((await passOnce(node.host)).isUnfinished).toBe(false);
    expect(node.affinities(0)).toBe("0 1 0-3");
  });

  test("leaves VFs alone whose record is of another boot, or of an earlier VF at that address", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1", (record) => ({ ...record, bootId: "another" }));
    node.attach(1, "web-2", (record) => ({ ...record, device: { ...record.device, inode: "1" } }));
    node.attach(2, "web-3", (record) => ({ ...record, state: "adding" }));
    expect(await listWrites(node)).toEqual([]);
  });

  test("discards what was saved in an earlier boot without writing an affinity", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    await passOnce(node.host);
    node.fake.clock.reboot();
    const before = node.affinities(0);
    const { restored } = await passOnce(node.host);
    expect([...restored.values()].map(({ result }) => result)).toEqual(["discarded"]);
    expect(node.affinities(0)).toBe(before);
    expect(readTuningRecord(node.host, node.address(0))).toBeUndefined();
  });

  test("does not restore a VF whose record can't be read: it may be in use", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    await passOnce(node.host);
    fs.writeFileSync(join(node.host.paths.attachments, `${node.address(0)}.json`), "");
    const { problems } = await passOnce(node.host);
    expect(problems.map(({ code }) => code)).toEqual(["ERR_RECORD_CORRUPT"]);
    expect(node.affinities(0)).toBe("0 1 0-3");
  });

  test.each([
    [
      "masks",
      (json: string) => json.replace(/("original": )"[0-9a-f,]+"(?=\s+\}\s+\],\s+"txQueues")/, '$1"zz"'),
    ],
    ["vectors", (json: string) => json.replace('"original": "0-3"', '"original": "0-"')],
  ])("goes on with the other VFs where what was saved of the %s is none", async (_, spoil) => {
    using node = createTuningNode();
    for (const vf of [0, 1]) node.attach(vf, `web-${vf}`);
    await passOnce(node.host);
    const path = join(node.host.paths.tuningState, `${node.address(0)}.json`);
    const json = fs.readFileSync(path, "utf8");
    expect(spoil(json)).not.toBe(json);
    fs.writeFileSync(path, spoil(json));
    const { problems } = await passOnce(node.host, undefined, {
      config: parseTuningConfig({ xps: "off" }, "tuning").config,
    });
    expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual([
      "tuning record ERR_TUNING_RECORD",
    ]);
    expect([node.affinities(0), node.affinities(1)]).toEqual(["0 1 0-3", "2 3 0-3"]);
  });

  test("moves an unreadable tuning record aside and goes on", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    const path = join(node.host.paths.tuningState, `${node.address(0)}.json`);
    fs.mkdirSync(node.host.paths.tuningState, { recursive: true });
    fs.writeFileSync(path, "");
    await passOnce(node.host);
    expect(fs.readdirSync(node.host.paths.quarantine)).toHaveLength(1);
    expect(node.affinities(0)).toBe("0 1 0-3");
  });

  test("writes nothing while the CNI has the VF's lock, and comes back", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    const lock = await node.host.locks.acquire(node.address(0));
    expect((await passOnce(node.host)).isUnfinished).toBe(true);
    expect(node.affinities(0)).toBe("0-3 0-3 0-3");
    lock[Symbol.dispose]();
    await passOnce(node.host);
    expect(node.affinities(0)).toBe("0 1 0-3");
  });

  test.each([{ containerId: "other" }, { attachment: "net9" }, { cookie: "999" }])(
    "writes nothing when another pod, or another namespace of it (%j), got the VF between the look and the lock",
    async (change) => {
      using node = createTuningNode();
      const record = node.attach(0, "web-1");
      const host: Host = {
        ...node.host,
        locks: {
          acquire: async (name, options) => {
            writeAttachment(node.host, { ...record, owner: { ...record.owner, ...change } });
            return node.host.locks.acquire(name, options);
          },
        },
      };
      const { applied } = await passOnce(host);
      expect([...applied.values()].map(({ result }) => result)).toEqual(["stale"]);
      expect(node.affinities(0)).toBe("0-3 0-3 0-3");
    },
  );

  test("writes no mask into a namespace that took the place of the pod's", async () => {
    using node = createTuningNode();
    const record = node.attach(0, "web-1", (made) => ({ ...made, owner: { ...made.owner, cookie: "999" } }));
    await passOnce(node.host);
    expect(node.mask("web-1")).toBe("");
    expect(readAttachment(node.host, record.device.address)).toEqual(record);
  });
});

describe("a refused pin", () => {
  test("is a problem of that vector alone, and is not remembered as changed", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    const { host } = refusing(node, node.irqs(0)[0], "ENOSPC");
    const { problems, applied } = await passOnce(host);
    expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual(["vector 0 ENOSPC"]);
    expect([...applied.values()].map(({ pinned }) => pinned)).toEqual([[1]]);
    expect(readTuningRecord(node.host, node.address(0))?.vectors.map(({ msiIndex }) => msiIndex)).toEqual([
      1,
    ]);
  });

  test.each(["EPERM", "EIO"])(
    "is not tried again after %s while the interrupt is the same, and told as long",
    async (errno) => {
      using node = createTuningNode();
      node.attach(0, "web-1");
      const { host, attempts } = refusing(node, node.irqs(0)[0], errno);
      const memory = createPassMemory(node.host);
      for (let i = 0; i < 3; i += 1) {
        const { problems } = await passOnce(host, memory);
        expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual([`vector 0 ${errno}`]);
      }
      expect(attempts()).toBe(1);
      expect(node.affinities(0)).toBe("0-3 1 0-3");
      // Another pod's VF is another one: its driver may have been bound again since.
      node.detach(0, "web-1");
      await passOnce(host, memory);
      node.attach(0, "web-2");
      await passOnce(host, memory);
      expect(attempts()).toBe(2);
    },
  );
});
