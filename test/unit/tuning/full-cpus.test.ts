// CPUs that have no interrupt vector left: others are taken.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import type { PassReport } from "../../../tuning/pass.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** The node with a kernel that has no vector left on some CPUs; `tries`: where it refused one. */
function filling(node: TuningNode, full: ReadonlySet<string>): { host: Host; tries: string[] } {
  const tries: string[] = [];
  const files: Host["files"] = {
    ...node.host.files,
    writeText(path, text) {
      if (path.endsWith("/smp_affinity_list") && full.has(text)) {
        tries.push(text);
        throw new SystemCallError("write", path, "ENOSPC");
      }
      node.host.files.writeText(path, text);
    },
  };
  return { host: { ...node.host, files }, tries };
}

function codes({ problems }: PassReport): readonly string[] {
  return problems.map(({ about, code }) => `${about} ${code}`);
}

test("an interrupt goes to another CPU at the next pass, which is soon", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  const { host, tries } = filling(node, new Set(["0"]));
  const memory = createPassMemory(host);
  const first = await passOnce(host, memory);
  expect([codes(first), first.isUnfinished]).toEqual([["vector 0 ENOSPC"], true]);
  const second = await passOnce(host, memory);
  expect([codes(second), second.isUnfinished]).toEqual([[], false]);
  expect(node.affinities(0)).toBe("2 1 0-3");
  node.attach(1, "web-2");
  for (let pass = 0; pass < 3; pass += 1) await passOnce(host, memory);
  expect(node.affinities(1)).toMatch(/^[123] [123] 0-3$/);
  expect(tries).toEqual(["0"]);
});

test("the CPU is tried again after ten minutes, and one that is still full takes nothing from another", async () => {
  using node = createTuningNode(2);
  for (const vf of [0, 1]) node.attach(vf, `web-${vf}`);
  const full = new Set(["0"]);
  const { host, tries } = filling(node, full);
  const memory = createPassMemory(host);
  for (let pass = 0; pass < 3; pass += 1) await passOnce(host, memory);
  const before = [node.affinities(0), node.affinities(1)];
  await node.fake.clock.advance(600_000);
  for (let pass = 0; pass < 3; pass += 1) await passOnce(host, memory);
  expect(tries).toEqual(["0", "0"]);
  expect([node.affinities(0), node.affinities(1)]).toEqual(before);
  full.clear();
  await node.fake.clock.advance(600_000);
  expect(codes(await passOnce(host, memory))).toEqual([]);
  expect(`${node.affinities(0)} ${node.affinities(1)}`).toMatch(/\b0 /);
});

test("with none left it stays where it is, and is a problem as long as that is so", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const full = new Set(["0", "1", "2", "3"]);
  const { host, tries } = filling(node, full);
  const memory = createPassMemory(host);
  for (let pass = 0; pass < 6; pass += 1) await passOnce(host, memory);
  const last = await passOnce(host, memory);
  expect([codes(last), last.isUnfinished]).toEqual([["vector 0 ENOSPC", "vector 1 ENOSPC"], false]);
  expect(node.affinities(0)).toBe("0-3 0-3 0-3");
  expect(tries.toSorted()).toEqual(["0", "1", "2", "3"]);
  full.clear();
  await node.fake.clock.advance(600_000);
  expect(codes(await passOnce(host, memory))).toEqual([]);
  expect(node.affinities(0)).toBe("0 1 0-3");
});

test("a pin that somebody undid goes to another CPU where its own has been given away meanwhile", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const full = new Set<string>();
  const { host, tries } = filling(node, full);
  const memory = createPassMemory(host);
  const reserved = { housekeeping: [0, 2] };
  await passOnce(host, memory, reserved);
  expect(node.affinities(0)).toBe("0 1 0");
  full.add("0");
  node.setAffinity(0, 0, "0-3");
  node.setAffinity(0, 2, "0-3");
  for (let pass = 0; pass < 2; pass += 1) await passOnce(host, memory, reserved);
  const last = await passOnce(host, memory, reserved);
  expect([codes(last), last.isUnfinished, last.plans.flatMap(({ pins }) => pins)]).toEqual([[], false, []]);
  expect(node.affinities(0)).toMatch(/^[23] 1 2$/);
  expect(tries).toEqual(["0", "0"]);
});

test("a pin that somebody undid is tried on its own CPU first, also where another interrupt found that full", async () => {
  using node = createTuningNode(2);
  const full = new Set<string>();
  const { host, tries } = filling(node, full);
  const memory = createPassMemory(host);
  host.files.writeAtomic(
    host.paths.nodeConfig,
    "tuning: { policy: explicit, cpus: 0, housekeepingCpus: 0-1 }",
  );
  node.attach(0, "web-0");
  node.setAffinity(0, 2, "2");
  await passOnce(host, memory);
  expect(node.affinities(0)).toBe("0 0 0");
  full.add("0");
  node.attach(1, "web-1");
  await passOnce(host, memory);
  expect(tries).toEqual(["0", "0"]);
  // What was moved away has left its vectors there.
  full.clear();
  for (const msiIndex of [0, 2]) node.setAffinity(0, msiIndex, "3");
  const { applied } = await passOnce(host, memory);
  expect([node.affinities(0), applied.get(node.address(0))?.pinned]).toEqual(["0 0 0", [0, 2]]);
});

test("a mailbox that somebody moved to a housekeeping CPU stays there where none has one left", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const full = new Set<string>();
  const { host } = filling(node, full);
  const memory = createPassMemory(host);
  const reserved = { housekeeping: [4, 5] };
  await passOnce(host, memory, reserved);
  expect(node.affinities(0)).toBe("0 1 4");
  for (const cpu of ["4", "5"]) full.add(cpu);
  node.setAffinity(0, 2, "0-3");
  for (let pass = 0; pass < 2; pass += 1) await passOnce(host, memory, reserved);
  node.setAffinity(0, 2, "5");
  expect(codes(await passOnce(host, memory, reserved))).toEqual([]);
  expect(node.affinities(0)).toBe("0 1 5");
});

test("an interrupt that comes while no CPU has one left is a problem, and so is one that stays where its policy no longer wants it", async () => {
  using node = createTuningNode(2);
  const full = new Set<string>();
  const { host, tries } = filling(node, full);
  const memory = createPassMemory(host);
  const explicit = (cpus: string): void =>
    host.files.writeAtomic(
      host.paths.nodeConfig,
      `tuning: { policy: explicit, cpus: ${cpus}, housekeepingCpus: 0 }`,
    );
  explicit("2-3");
  node.attach(0, "web-0");
  await passOnce(host, memory);
  expect(node.affinities(0)).toBe("2 3 0");
  full.add("0");
  explicit("0");
  await passOnce(host, memory);
  node.attach(1, "web-1");
  for (let pass = 0; pass < 2; pass += 1) await passOnce(host, memory);
  const last = await passOnce(host, memory);
  expect([node.affinities(0), node.affinities(1), tries.length]).toEqual(["2 3 0", "0-3 0-3 0-3", 2]);
  expect(last.problems.map(({ vf, about, code }) => `${vf} ${about} ${code}`)).toEqual([
    `${node.address(0)} vector 0 ENOSPC`,
    `${node.address(0)} vector 1 ENOSPC`,
    `${node.address(1)} vector 0 ENOSPC`,
    `${node.address(1)} vector 1 ENOSPC`,
    `${node.address(1)} vector 2 ENOSPC`,
  ]);
});
