// How soon a pin is seen that someone else undid, and what is read for it.

import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { CpuManagerState } from "../../../tuning/cpu-manager-state.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { PinWatch, pinCheckMs } from "../../../tuning/pin-watch.ts";
import { withFault } from "../../support/faults.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** A watch that a pass follows each time, as in the daemon; `look` is what the clock does, `calls` what it leads to on the node. */
async function watch(node: TuningNode, mostFiles?: number) {
  let tick: (() => void) | undefined;
  const sleepsMs: number[] = [];
  const sleep: Host["clock"]["sleep"] = async (ms, signal) => {
    sleepsMs.push(ms);
    await new Promise<void>((resolve, reject) => {
      tick = resolve;
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
    });
  };
  const { host, calls } = withFault({ ...node.host, clock: { ...node.host.clock, sleep } });
  const memory = createPassMemory(node.host);
  const others = [memory.irqBalance.finder, new CpuManagerState(node.host)];
  let seen = 0;
  const pins = new PinWatch(host, others, () => (seen += 1), mostFiles);
  const pass = async (): Promise<void> => pins.follow(await passOnce(node.host, memory));
  await pass();
  return {
    pass,
    look: async (): Promise<void> => {
      tick?.();
      await new Promise(setImmediate);
    },
    calls: () => calls.filter((call) => call !== "clock.sleep"),
    sleepsMs,
    seen: () => seen,
    [Symbol.dispose]: () => pins[Symbol.dispose](),
  };
}

test("a pin that was moved is told once, and again when it was put back and moved again", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  using watched = await watch(node);
  await watched.look();
  await watched.look();
  expect(watched.seen()).toBe(0);
  node.setAffinity(0, 1, "3");
  await watched.look();
  expect(watched.seen()).toBe(1);
  await watched.look();
  await watched.look();
  expect(watched.seen()).toBe(1);
  await watched.pass();
  node.setAffinity(0, 1, "3");
  await watched.look();
  expect(watched.seen()).toBe(2);
});

test("a look is one read for each pin and nothing else, of files that stay open, and none without pins", async () => {
  using node = createTuningNode(2);
  using watched = await watch(node);
  await watched.look();
  await watched.look();
  expect(watched.calls()).toEqual([]);
  node.attach(0, "web-1");
  await watched.pass();
  await watched.look();
  const [open, read, close] = ["files.open", "files.open().readText", "files.open().Symbol(Symbol.dispose)"];
  expect(watched.calls()).toEqual([open, read, open, read]);
  expect(watched.sleepsMs).toEqual([pinCheckMs, pinCheckMs]);
  await watched.pass();
  await watched.look();
  expect(watched.calls().slice(4)).toEqual([read, read]);
  node.detach(0, "web-1");
  await watched.pass();
  await watched.look();
  await watched.look();
  expect(watched.calls().slice(6)).toEqual([close, close]);
});

test("files beyond as many as may stay open are closed after each read", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  using watched = await watch(node, 1);
  const [open, read, close] = ["files.open", "files.open().readText", "files.open().Symbol(Symbol.dispose)"];
  await watched.look();
  expect(watched.calls()).toEqual([open, read, open, read, close]);
  await watched.look();
  expect(watched.calls().slice(5)).toEqual([read, open, read, close]);
  node.setAffinity(0, 1, "3");
  await watched.look();
  expect(watched.seen()).toBe(1);
});

test("an interrupt that went is a pass's to judge, and another one under its number is looked at", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const [tx] = node.irqs(0);
  const gone = new Set<string>();
  const files: Host["files"] = {
    ...node.host.files,
    open(path) {
      const file = node.host.files.open(path);
      // As of procfs: what was opened before tells nothing of the one that comes.
      const isOld = () => gone.has(path);
      return (
        file && {
          ...file,
          readText: () => {
            if (isOld()) throw new SystemCallError("read", path, "EIO");
            return file.readText();
          },
        }
      );
    },
  };
  using watched = await watch({ ...node, host: { ...node.host, files } });
  await watched.look();
  expect(watched.seen()).toBe(0);
  gone.add(join(node.fake.root, `proc/irq/${tx}/smp_affinity_list`));
  await watched.look();
  expect(watched.seen()).toBe(1);
  gone.clear();
  await watched.pass();
  await watched.look();
  expect(watched.seen()).toBe(1);
  expect(watched.calls().filter((call) => call === "files.open")).toHaveLength(4);
});

test("a pin that could not be made is not looked at", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const lock = await node.host.locks.acquire(node.address(0));
  using watched = await watch(node);
  await watched.look();
  await watched.look();
  expect([watched.seen(), watched.calls()]).toEqual([0, []]);
  lock[Symbol.dispose]();
});

test("CPUs that the kubelet gave to pods are told once for each time that it wrote them down", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const write = (text: string): void =>
    node.host.files.writeAtomic(join(node.fake.root, "var/lib/kubelet/cpu_manager_state"), text);
  write("{}");
  using watched = await watch(node);
  await watched.look();
  expect(watched.seen()).toBe(0);
  write('{"entries":{"uid":{"app":"3"}}}');
  await watched.look();
  expect(watched.seen()).toBe(1);
  await watched.pass();
  await watched.look();
  expect(watched.seen()).toBe(1);
  // A kubelet that makes it anew at its start.
  node.host.files.remove(join(node.fake.root, "var/lib/kubelet/cpu_manager_state"));
  await watched.look();
  expect(watched.seen()).toBe(1);
});

test("finds them where the kubelet has another root, by its link to PodResources", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const { root } = node.fake;
  const folder = join(root, "var/lib/k0s/kubelet");
  for (const path of [join(folder, "pod-resources"), join(root, "var/lib/kubelet")])
    mkdirSync(path, { recursive: true });
  symlinkSync("/var/lib/k0s/kubelet/pod-resources", join(root, "var/lib/kubelet/pod-resources"));
  using watched = await watch(node);
  node.host.files.writeAtomic(join(folder, "cpu_manager_state"), "{}");
  await watched.look();
  expect(watched.seen()).toBe(1);
});

test("goes on looking where the folder of irqbalance's socket can't be read", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const files: Host["files"] = {
    ...node.host.files,
    list(path) {
      if (path.endsWith("/run/irqbalance")) throw new SystemCallError("readdir", path, "EMFILE");
      return node.host.files.list(path);
    },
  };
  const broken: TuningNode = { ...node, host: { ...node.host, files } };
  using watched = await watch(broken);
  await watched.look();
  expect(watched.seen()).toBe(0);
  node.setAffinity(0, 1, "3");
  await watched.look();
  expect(watched.seen()).toBe(1);
});
