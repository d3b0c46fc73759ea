// ADD and DEL on veth stand-ins of this machine, alone and at once: ours, the reference plugin, any other, and the floor.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { compileExecutables, type Executables } from "../../support/executables.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";
import { refusedMac } from "../../support/stand-in-host.ts";
import { createStandInNode } from "../../support/stand-in-node.ts";
import type { Contender, NativeFigures, NativeOrder } from "./native-order.ts";

export interface NativeOptions {
  /** How many ADDs at once, in turn. */
  readonly concurrencies: readonly number[];
  readonly calls: number;
  readonly vs: { readonly path: string; readonly type: string } | undefined;
  /** Ends it once the calls that are under way have ended. */
  readonly signal: AbortSignal;
}

export interface NativeReport {
  readonly figures: readonly NativeFigures[];
  /** Ours beside the floor, by concurrency: time of an ADD without the start, and ADDs per second. */
  readonly overFloor: readonly {
    readonly concurrency: number;
    readonly insideMs: number;
    readonly addsPerSecond: number;
  }[];
  /** Why something was not measured. */
  readonly left: readonly string[];
}

const hostDevice = "/usr/lib/cni/host-device";
const hostLocal = "/usr/lib/cni/host-local";

/** Needs root. Every program is compiled with the flags of what ships. */
export async function measureNative({ concurrencies, ...options }: NativeOptions): Promise<NativeReport> {
  await using executables = await compileExecutables({
    virtfn: "test/support/stand-in-cni-main.ts",
    floor: "test/bench/cni/floor-main.ts",
  });
  const figures: NativeFigures[] = [];
  for (const concurrency of concurrencies) {
    options.signal.throwIfAborted();
    figures.push(...(await measureAt(concurrency, options, executables)));
  }
  const left = [hostDevice, hostLocal]
    .filter((path) => !existsSync(path))
    .map((path) => `there is no ${path} (Debian: containernetworking-plugins)`);
  return { figures, overFloor: concurrencies.map((concurrency) => compare(figures, concurrency)), left };
}

// On a node of its own that has as many VFs: where a stand-in is that has left the host is asked of all links.
async function measureAt(
  concurrency: number,
  { calls, vs, signal }: Omit<NativeOptions, "concurrencies">,
  executables: Executables,
): Promise<readonly NativeFigures[]> {
  using node = createStandInNode(concurrency);
  using stack = new DisposableStack();
  const pods: TestNetns[] = [];
  for (let at = 0; at < concurrency; at += 1) pods.push(stack.use(createTestNetns()));
  const links = "pf0v";
  const ours = [executables.path("virtfn"), node.root];
  const contenders: Contender[] = [
    { name: "virtfn", command: ours, config: sriovConfig("virtfn"), links },
    { name: "floor", command: [executables.path("floor")], config: undefined, links },
  ];
  if (concurrency === 1)
    for (const { name, config, failure } of listFailing(node.root))
      contenders.push({ name, command: ours, config, failure, links });
  if (existsSync(hostDevice)) {
    // It notes the name in the alias, which makes a link a stand-in: it gets others.
    for (let at = 0; at < concurrency; at += 1) {
      node.host.ip(`link add hd${at} type veth peer name hd${at}p`);
      node.host.ip(`link set hd${at}p up`);
    }
    contenders.push({ name: "host-device", command: [hostDevice], config: hostDeviceConfig, links: "hd" });
  }
  if (vs !== undefined)
    contenders.push({ name: "vs", command: [vs.path], config: sriovConfig(vs.type), links });
  const order = { contenders, concurrency, calls, pods: pods.map(({ path }) => path) };
  return await runInside(node.host.name, order, signal);
}

async function runInside(
  netns: string,
  order: NativeOrder,
  signal: AbortSignal,
): Promise<readonly NativeFigures[]> {
  const entry = resolve(import.meta.dirname, "native-main.ts");
  const inside = Bun.spawn(["ip", "netns", "exec", netns, process.execPath, entry], {
    stdin: new Blob([JSON.stringify(order)]),
    stderr: "inherit",
    signal,
  });
  const stdout = await inside.stdout.text();
  // What it measures in is taken away next.
  await inside.exited;
  signal.throwIfAborted();
  return JSON.parse(stdout) as readonly NativeFigures[];
}

function compare(figures: readonly NativeFigures[], concurrency: number): NativeReport["overFloor"][number] {
  const of = (name: string): NativeFigures | undefined =>
    figures.find((one) => one.contender === name && one.concurrency === concurrency);
  const [ours, floor] = [of("virtfn"), of("floor")];
  return {
    concurrency,
    insideMs: ratio(ours?.insideMs?.median, floor?.insideMs?.median),
    addsPerSecond: ratio(ours?.addsPerSecond, floor?.addsPerSecond),
  };
}

function ratio(a = Number.NaN, b = Number.NaN): number {
  return Math.round((a / b) * 1000) / 1000;
}

// The same addresses and routes for all, without an IPAM plugin of its own process.
const network = { cniVersion: "1.0.0", name: "bench" };
const routes = [{ dst: "198.51.100.0/24", gw: "192.0.2.1" }];

function sriovConfig(type: string, more: object = { ips: ["192.0.2.50/24"], routes }): string {
  return JSON.stringify({ ...network, type, deviceID: "DEVICE", ...more });
}

/** ADDs that are to fail: the PF refuses the MAC; host-local, where there is one, has given its only address away. */
function listFailing(root: string): readonly Required<Omit<Contender, "command" | "links">>[] {
  const mac = {
    name: "MAC refused",
    config: sriovConfig("virtfn", { mac: refusedMac }),
    failure: "ERR_VF_STEP",
  };
  if (!existsSync(hostLocal)) return [mac];
  const dataDir = join(root, "leases");
  const only = "192.0.2.50";
  mkdirSync(join(dataDir, network.name), { recursive: true });
  writeFileSync(join(dataDir, network.name, only), "another-pod\r\nnet1");
  const range = { subnet: "192.0.2.0/24", rangeStart: only, rangeEnd: only };
  const config = sriovConfig("virtfn", { ipam: { type: "host-local", dataDir, ranges: [[range]] } });
  return [mac, { name: "no address left", config, failure: "ERR_IPAM" }];
}

const hostDeviceConfig = JSON.stringify({
  ...network,
  type: "host-device",
  device: "LINK",
  ipam: { type: "static", addresses: [{ address: "192.0.2.50/24" }], routes },
});
