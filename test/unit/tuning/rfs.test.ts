// Receive flow steering: flows of the queues of those VFs that are to have it, and one table for all of them.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { run } from "../../../tuning/main.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

const flowCount = "queues/rx-0/rps_flow_cnt";

function configure({ host }: TuningNode, yaml: string): void {
  host.files.writeAtomic(host.paths.nodeConfig, yaml);
}

/** A node where each VF is to have it, with two pods. */
async function steered(): Promise<TuningNode> {
  const node = createTuningNode();
  configure(node, "tuning: { rfs: true }");
  node.attach(0, "web-1");
  node.attach(1, "web-2");
  await passOnce(node.host);
  return node;
}

test("nothing of it is touched unless it is asked for", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  await passOnce(node.host);
  expect(node.value("web-1", flowCount)).toBe("0");
  expect(node.socketFlows()).toBe(0);
});

test("queues get their flows, and the node one table for all of them", async () => {
  using node = await steered();
  expect(node.value("web-1", flowCount)).toBe("32768");
  expect(node.value("web-2", flowCount)).toBe("32768");
  expect(node.socketFlows()).toBe(65_536);
  node.fake.endProcess();
  expect(await listWrites(node)).toEqual([]);
});

test("a network asks for it, or against it, whatever the node says", async () => {
  using node = createTuningNode();
  configure(node, "tuning: { resources: { sriov/vf: { rfs: true } } }");
  node.attach(0, "web-1", (record) => ({ ...record, tuning: { rfs: true } }));
  node.attach(1, "web-2", (record) => ({ ...record, tuning: { rfs: false } }));
  await passOnce(node.host, createPassMemory(node.host), {
    resourceOf: new Map([[node.address(1), "sriov/vf"]]),
  });
  expect(node.value("web-1", flowCount)).toBe("32768");
  expect(node.value("web-2", flowCount)).toBe("0");
  expect(node.socketFlows()).toBe(32_768);
});

test("the table is put back with the last VF that uses it, and not before", async () => {
  using node = await steered();
  node.detach(0, "web-1");
  await passOnce(node.host);
  expect(node.socketFlows()).toBe(65_536);
  node.detach(1, "web-2");
  await passOnce(node.host);
  expect(node.socketFlows()).toBe(0);
  expect(await listWrites(node)).toEqual([]);
});

test("a table that is large enough is left alone, also afterwards", async () => {
  using node = createTuningNode();
  node.socketFlows(262_144);
  configure(node, "tuning: { rfs: true }");
  node.attach(0, "web-1");
  await passOnce(node.host);
  node.detach(0, "web-1");
  await passOnce(node.host);
  expect(node.socketFlows()).toBe(262_144);
});

test("what the administrator sets meanwhile is never made smaller, and stays", async () => {
  using node = await steered();
  node.socketFlows(131_072);
  await passOnce(node.host);
  expect(node.socketFlows()).toBe(131_072);
  for (const [vf, pod] of ["web-1", "web-2"].entries()) node.detach(vf, pod);
  await passOnce(node.host);
  expect(node.socketFlows()).toBe(131_072);
});

test("what the administrator set meanwhile is what is put back", async () => {
  using node = await steered();
  node.socketFlows(4096);
  await passOnce(node.host);
  expect(node.socketFlows()).toBe(65_536);
  for (const [vf, pod] of ["web-1", "web-2"].entries()) node.detach(vf, pod);
  await passOnce(node.host);
  expect(node.socketFlows()).toBe(4096);
});

test("a record that can't be read may be of a user: the table stays", async () => {
  using node = await steered();
  node.detach(1, "web-2");
  fs.writeFileSync(join(node.host.paths.attachments, `${node.address(0)}.json`), "");
  await passOnce(node.host);
  expect(node.socketFlows()).toBe(65_536);
});

test.each(["rfs: false", "rfs: true, policy: none"])("with %s all of it is as before", async (settings) => {
  using node = await steered();
  configure(node, `tuning: { ${settings} }`);
  await passOnce(node.host);
  expect(node.value("web-1", flowCount)).toBe("0");
  expect(node.socketFlows()).toBe(0);
});

test("what the pod before had is nothing that the next one gets", async () => {
  using node = await steered();
  node.detach(0, "web-1");
  configure(node, "tuning: {}");
  node.attach(0, "web-3");
  node.setValue("web-3", flowCount, "4096");
  await passOnce(node.host);
  expect(node.value("web-3", flowCount)).toBe("4096");
});

test("--restore puts all of it back, in running pods too", async () => {
  using node = await steered();
  const uevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };
  expect(await run({ ...node.host, uevents }, ["--restore"], () => {})).toBe(0);
  expect(node.value("web-2", flowCount)).toBe("0");
  expect(node.socketFlows()).toBe(0);
});

test("--dry-run tells what it would write, and writes nothing", async () => {
  using node = createTuningNode();
  configure(node, "tuning: { rfs: true }");
  node.attach(0, "web-1");
  const lines: string[] = [];
  const uevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };
  await run({ ...node.host, uevents }, ["--once", "--dry-run"], (text) => void lines.push(text));
  expect(lines.join("")).toContain("queues/rx-0/rps_flow_cnt  0");
  expect(lines.join("")).toContain("net.core.rps_sock_flow_entries: 0 to 32768");
  expect(node.socketFlows()).toBe(0);
});

test("a kernel without it is told of, and everything else is tuned", async () => {
  using node = createTuningNode();
  configure(node, "tuning: { rfs: true }");
  node.attach(0, "web-1");
  node.removeValue("web-1", flowCount);
  fs.rmSync(join(node.fake.root, "proc/sys/net/core/rps_sock_flow_entries"));
  const { problems } = await passOnce(node.host);
  expect(problems.map(({ vf, about, code }) => `${vf} ${about} ${code}`)).toEqual([
    "0000:3b:02.0 rfs UNSUPPORTED",
    "node net.core.rps_sock_flow_entries UNSUPPORTED",
  ]);
  expect(node.affinities(0)).toBe("0 1 0-3");
});
