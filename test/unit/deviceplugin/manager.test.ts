// The manager before it has seen the node, and how it writes down what it offers.

import { pino } from "pino";
import { expect, test } from "vitest";

import { Manager } from "../../../deviceplugin/manager.ts";
import { createMetrics } from "../../../deviceplugin/metrics.ts";
import { createHost } from "../../../host/create-host.ts";
import type { Host } from "../../../host/host.ts";
import { createFakeHost } from "../../support/fake-host.ts";

test("is not ready before it was told what the node has: a node that cannot be scanned is never ready", () => {
  const host = { ...createHost(), uevents: { subscribe: () => ({ [Symbol.dispose]: () => {} }) } };
  const manager = new Manager(host, createMetrics(host), pino({ enabled: false }), { useCdi: false });
  expect(manager.whyNotReady()).toBe("the devices of the node were not read yet");
});

test("the list is written under the lock of those who pick VFs, and only when it is another one", async () => {
  using node = createFakeHost();
  const lines: string[] = [];
  const held: string[] = [];
  const writeAtomic: Host["files"]["writeAtomic"] = (path, ...rest) => {
    if (path === node.host.paths.pools) held.push([...node.locks.held].join(" "));
    node.host.files.writeAtomic(path, ...rest);
  };
  const uevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };
  const host = { ...node.host, uevents, files: { ...node.host.files, writeAtomic } };
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const manager = new Manager(host, createMetrics(host), log, { useCdi: false });
  const tree = { resources: new Map(), leftOut: new Map(), clashes: new Map(), pfs: new Map() };
  const lock = await node.host.locks.acquire("pick");
  await manager.apply(tree);
  expect(held).toEqual([]);
  expect(lines.join("")).toMatch(/cannot write down what is offered/);
  lock[Symbol.dispose]();
  await manager.apply(tree);
  const taken = node.locks.taken.length;
  await manager.apply(tree);
  expect(held).toEqual(["pick"]);
  expect(node.locks.taken.length).toBe(taken);
  expect(node.locks.held.size).toBe(0);
  node.host.files.remove(node.host.paths.pools);
  await manager.apply(tree);
  expect(held).toEqual(["pick", "pick"]);
});
