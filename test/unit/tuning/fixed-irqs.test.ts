// Interrupts that can't be moved are load of their CPU: those of VFs, and those of other devices where the kernel tells.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { run } from "../../../tuning/main.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { writeIrq } from "../../support/irq-tree.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

const disk = 200;

/** An interrupt of another device, that the hardware delivers to `cpu`. */
function addIrq({ fake }: TuningNode, irq: number, cpu: string, chip = "PCI-MSIX-0000:01:00.0"): void {
  writeIrq(fake.root, irq, "nvme0q1", "0-3");
  writeFolder(fake.root, { [`sys/kernel/irq/${irq}/chip_name`]: chip });
  deliver(fake.root, irq, cpu);
}

function deliver(root: string, irq: number | undefined, cpu: string): void {
  writeFolder(root, { [`proc/irq/${irq}/effective_affinity_list`]: cpu });
}

/** As the kernel shows one that nobody may move, since Linux 6.12. */
function forbid(root: string, irq: number | undefined): void {
  fs.chmodSync(join(root, `proc/irq/${irq}/smp_affinity_list`), 0o444);
}

test("a queue of a VF that the kernel places itself", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  const [tx] = node.irqs(0);
  deliver(node.fake.root, tx, "1");
  forbid(node.fake.root, tx);
  node.attach(1, "web-2");
  await passOnce(node.host);
  expect([node.affinities(0), node.affinities(1)]).toEqual(["0-3 0 0-3", "2 3 0-3"]);
});

test("one that the kernel put on one CPU by itself is told as fixed, not as kept", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  node.setAffinity(0, 0, "1");
  forbid(node.fake.root, node.irqs(0)[0]);
  const lines: string[] = [];
  const uevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };
  await run({ ...node.host, uevents }, ["--once", "--dry-run"], (text) => void lines.push(text));
  expect(lines.join("")).toMatch(/tx 0 .* fixed\n/);
});

test.each(["EIO", "EPERM"])("a queue of a VF whose pin was refused with %s", async (errno) => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  const [tx] = node.irqs(0);
  deliver(node.fake.root, tx, "1");
  const files: Host["files"] = {
    ...node.host.files,
    writeText(path, text) {
      if (path.endsWith(`/${tx}/smp_affinity_list`)) throw new SystemCallError("write", path, errno);
      node.host.files.writeText(path, text);
    },
  };
  const host = { ...node.host, files };
  const memory = createPassMemory(host);
  await passOnce(host, memory);
  node.attach(1, "web-2");
  await passOnce(host, memory);
  const [, rx] = node.affinities(0).split(" ");
  const others = node.affinities(1).split(" ").slice(0, 2);
  expect(new Set([rx, ...others])).toEqual(new Set(["0", "2", "3"]));
});

test("a queue of another device that nobody may move", async () => {
  using node = createTuningNode();
  addIrq(node, disk, "0");
  forbid(node.fake.root, disk);
  node.attach(0, "web-1");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("1 2 0-3");
  expect(await listWrites(node)).toEqual([]);
});

test.each([
  ["may be moved, wherever it is", "PCI-MSIX-0000:01:00.0", "0", false],
  ["is no device's on the PCI bus, as the timer", "IO-APIC", "0", true],
  ["has no CPU, since those that it may use are offline", "PCI-MSIX-0000:01:00.0", "", true],
])("not one of another device that %s", async (_what, chip, cpu, isForbidden) => {
  using node = createTuningNode();
  addIrq(node, disk, cpu, chip);
  if (isForbidden) forbid(node.fake.root, disk);
  node.attach(0, "web-1");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("0 1 0-3");
});

test("one of Hyper-V, whose chip has another name", async () => {
  using node = createTuningNode();
  addIrq(node, disk, "0", "Hyper-V PCIe MSI");
  forbid(node.fake.root, disk);
  node.attach(0, "web-1");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("1 2 0-3");
});

test("a queue of a VF that the kernel tells of twice is counted once", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  const [tx] = node.irqs(0);
  writeFolder(node.fake.root, { [`sys/kernel/irq/${tx}/chip_name`]: "IR-PCI-MSIX-0000:3b:02.0" });
  deliver(node.fake.root, tx, "0");
  forbid(node.fake.root, tx);
  for (const vf of [1, 2]) node.attach(vf, `web-${vf + 1}`);
  await passOnce(node.host);
  // Five others over four CPUs: one of them has its second, as CPU 0 has with the fixed one.
  const pinned = [0, 1, 2].flatMap((vf) => node.affinities(vf).split(" ").slice(0, 2));
  expect(pinned.filter((cpu) => cpu === "0")).toHaveLength(1);
});

test.each([
  ["sys/kernel", "ENODEV"],
  ["proc", "EIO"],
])("one that goes while it is read, from %s, changes nothing of the others", async (folder, errno) => {
  using node = createTuningNode();
  for (const irq of [disk, disk + 1]) {
    addIrq(node, irq, "0");
    forbid(node.fake.root, irq);
  }
  const files: Host["files"] = {
    ...node.host.files,
    readText(path) {
      if (path.includes(`/${folder}/irq/${disk}/`)) throw new SystemCallError("read", path, errno);
      return node.host.files.readText(path);
    },
  };
  node.attach(0, "web-1");
  const { problems } = await passOnce({ ...node.host, files });
  expect(problems).toEqual([]);
  expect(node.affinities(0)).toBe("1 2 0-3");
});

test("nothing of them is read while no pod has a VF", async () => {
  using node = createTuningNode();
  addIrq(node, disk, "0");
  const seen: string[] = [];
  const stat: Host["files"]["stat"] = (path, options) => {
    seen.push(path);
    return node.host.files.stat(path, options);
  };
  const host = { ...node.host, files: { ...node.host.files, stat } };
  const listDisk = (): readonly string[] => seen.filter((path) => path.includes(`irq/${disk}`));
  await passOnce(host);
  expect(listDisk()).toEqual([]);
  node.attach(0, "web-1");
  await passOnce(host);
  expect(listDisk()).toHaveLength(1);
});

test("not one that is free: its driver has no handler for it", async () => {
  using node = createTuningNode();
  addIrq(node, disk, "0");
  forbid(node.fake.root, disk);
  fs.rmdirSync(join(node.fake.root, `proc/irq/${disk}/nvme0q1`));
  node.attach(0, "web-1");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("0 1 0-3");
});
