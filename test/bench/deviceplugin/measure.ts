// The device plugin on one machine of a fixture tree: its process from outside, its scan from inside.

import * as fs from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { knowDevices } from "../../../deviceplugin/known-devices.ts";
import { scanDevices } from "../../../deviceplugin/scanner.ts";
import { createHost } from "../../../host/create-host.ts";
import { defaultResources } from "../../../sriov/resource-config.ts";
import { FakeKubelet } from "../../support/fake-kubelet.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type Spread, spreadOf } from "../cni/figures.ts";
import { readCpuMs, readRssMb } from "../process-usage.ts";
import { makeMachine } from "./machine.ts";

const resource = "sriov/vf";
const timeoutMs = 30_000;
/** After so long without a change the process is idle. */
const idleMs = 3_000;

export interface DevicePluginFigures {
  readonly vfs: number;
  /** From the start of the process to a socket that takes a connection, with the first list computed. */
  readonly startMs: Spread;
  /** One look at the node, after the first. */
  readonly rescanMs: Spread;
  /** A call of the kubelet and its answer, one device. */
  readonly allocateMs: Spread;
  /** The same: four devices of all. */
  readonly preferMs: Spread;
  readonly rssMb: { readonly serving: number; readonly idle: number };
  /** Of one core, while nothing happens; undefined where it was not measured. */
  readonly idleCpuPercent: number | undefined;
}

/** What the product promises: the start and the calls with 256 VFs, memory and idle time with any number up to that. */
export const goals = { vfs: 256, startMs: 300, preferMs: 1, rssMb: 75, idleCpuPercent: 0.5 } as const;

/** Measures with `executable`, which is test/support/deviceplugin-entry.ts compiled; its idle CPU time over `idleSeconds`, 0 for none. */
export async function measureDevicePlugin(
  executable: string,
  vfs: number,
  { rounds, idleSeconds }: { readonly rounds: number; readonly idleSeconds: number },
): Promise<DevicePluginFigures> {
  using tree = createFixtureTree(makeMachine(vfs));
  const registry = join(tree.root, "var/lib/kubelet/plugins_registry");
  fs.mkdirSync(registry, { recursive: true });
  const starts: number[] = [];
  for (let round = 1; round < rounds; round += 1) {
    const { ms, child } = await start(executable, tree.root, registry);
    starts.push(ms);
    await end(child);
  }
  const kubelet = new FakeKubelet(tree.root);
  const { ms, child } = await start(executable, tree.root, registry);
  try {
    await kubelet.start();
    await kubelet.waitForDevices(resource, vfs, timeoutMs);
    const serving = readRssMb(child.pid);
    const ids = kubelet.devices(resource)?.map(({ ID }) => ID) ?? [];
    const some = (at: number): readonly string[] => ids.slice(at % ids.length).slice(0, 1);
    const allocateMs = await time(rounds * 10, (at) => kubelet.allocate(resource, some(at)));
    const preferMs = await time(rounds * 10, () => kubelet.prefer(resource, ids, 4));
    await Bun.sleep(idleMs);
    return {
      vfs,
      startMs: spreadOf([...starts, ms]),
      rescanMs: await measureRescan(tree.root, rounds),
      allocateMs,
      preferMs,
      rssMb: { serving, idle: readRssMb(child.pid) },
      idleCpuPercent: await measureIdle(child.pid, idleSeconds),
    };
  } finally {
    kubelet.stop();
    await end(child);
  }
}

type Child = Bun.Subprocess<"ignore", "ignore", "inherit">;

async function start(
  executable: string,
  root: string,
  registry: string,
): Promise<{ readonly ms: number; readonly child: Child }> {
  const startMs = performance.now();
  const child = Bun.spawn([executable, root, "plugins_registry", "--listen", "off", "--log-level", "error"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  await waitFor("a socket that serves", () => canConnect(join(registry, "sriov_vf.sock")), timeoutMs);
  return { ms: performance.now() - startMs, child };
}

async function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function end(child: Child): Promise<void> {
  child.kill("SIGTERM");
  await child.exited;
}

/** The look each 30 s is in it where `seconds` is a multiple of that. */
async function measureIdle(pid: number, seconds: number): Promise<number | undefined> {
  if (seconds === 0) return undefined;
  const beforeMs = readCpuMs(pid);
  await Bun.sleep(seconds * 1_000);
  return Number(((readCpuMs(pid) - beforeMs) / (seconds * 10)).toFixed(2));
}

async function measureRescan(root: string, rounds: number): Promise<Spread> {
  const host = createHost({ root });
  const pools = defaultResources("sriov");
  let known = knowDevices(scanDevices(host, pools, new Map()));
  return time(rounds, () => {
    known = knowDevices(scanDevices(host, pools, known));
  });
}

async function time(rounds: number, call: (at: number) => unknown): Promise<Spread> {
  const taken: number[] = [];
  for (let at = 0; at < rounds; at += 1) {
    const startMs = performance.now();
    await call(at);
    taken.push(performance.now() - startMs);
  }
  return spreadOf(taken);
}
