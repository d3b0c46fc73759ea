// ADD and DEL on a real VF of the emulated node, against the reference plugin that takes a PCI address too, and any other.

import type { LabNode } from "../../lab/node/lab-node.ts";
import { onBenchNode, waitForFirstVf } from "../bench-node.ts";
import { unlessAborted } from "../interruptible.ts";
import { pairwise, spreadOf, type Spread } from "./figures.ts";
import { makeGuestScript, parseGuestTimes, type GuestPlugin } from "./guest-script.ts";

export interface LabBenchOptions {
  /** Our executable. */
  readonly executable: string;
  readonly rounds: number;
  /** Another one, and the `type` in its configuration. */
  readonly vs: { readonly path: string; readonly type: string } | undefined;
  /** Folder of a lab that runs already; a node of its own otherwise. */
  readonly labDir: string | undefined;
  readonly signal: AbortSignal;
}

export interface PluginFigures {
  readonly versionMs: Spread;
  readonly addMs: Spread;
  readonly delMs: Spread;
}

export interface LabFigures {
  readonly rounds: number;
  readonly plugins: Readonly<Record<string, PluginFigures>>;
  /** virtfn's time divided by the other's, each less its own VERSION, round by round: 1 is equally long. */
  readonly ratios: Readonly<Record<string, { readonly add: Spread; readonly del: Spread }>>;
}

/** Copies the executables into a node and runs the rounds there. */
export async function measureInLab(options: LabBenchOptions): Promise<LabFigures> {
  const { labDir, signal } = options;
  return await onBenchNode(labDir, (node) => unlessAborted(signal, measureOn(node, options)), signal);
}

async function measureOn(node: LabNode, { executable, rounds, vs }: LabBenchOptions): Promise<LabFigures> {
  const address = await waitForFirstVf(node);
  const ours = "/opt/cni/bin/virtfn-bench";
  await node.copyIn(executable, ours, "0755");
  const plugins: GuestPlugin[] = [
    { name: "virtfn", path: ours, config: sriovConfig("virtfn", address) },
    { name: "host-device", path: "/opt/cni/bin/host-device", config: hostDeviceConfig(address) },
  ];
  if (vs !== undefined) {
    await node.copyIn(vs.path, "/opt/cni/bin/vs-bench", "0755");
    plugins.push({ name: "vs", path: "/opt/cni/bin/vs-bench", config: sriovConfig(vs.type, address) });
  }
  const warmUp = makeGuestScript(plugins, 1);
  await node.run(warmUp, { timeoutMs: 600_000 });
  const stdout = await node.run(makeGuestScript(plugins, rounds), { timeoutMs: 3_600_000 });
  return toFigures(parseGuestTimes(stdout), plugins, rounds);
}

function toFigures(
  times: ReadonlyMap<string, readonly number[]>,
  plugins: readonly GuestPlugin[],
  rounds: number,
): LabFigures {
  const of = (name: string, verb: string): readonly number[] => times.get(`${name} ${verb}`) ?? [];
  const own = (name: string, verb: string): readonly number[] =>
    pairwise(of(name, verb), of(name, "VERSION"), (all, start) => all - start);
  const figures = plugins.map(({ name }) => [
    name,
    {
      versionMs: spreadOf(of(name, "VERSION")),
      addMs: spreadOf(of(name, "ADD")),
      delMs: spreadOf(of(name, "DEL")),
    },
  ]);
  const others = plugins.filter(({ name }) => name !== "virtfn");
  const ratios = others.map(({ name }) => [
    name,
    {
      add: spreadOf(pairwise(own("virtfn", "ADD"), own(name, "ADD"), (a, b) => a / b)),
      del: spreadOf(pairwise(own("virtfn", "DEL"), own(name, "DEL"), (a, b) => a / b)),
    },
  ]);
  return {
    rounds,
    plugins: Object.fromEntries(figures) as LabFigures["plugins"],
    ratios: Object.fromEntries(ratios) as LabFigures["ratios"],
  };
}

function sriovConfig(type: string, address: string): object {
  return { cniVersion: "1.0.0", name: `bench-${type}`, type, deviceID: address, vlan: 100, ipam };
}

function hostDeviceConfig(address: string): object {
  return { cniVersion: "1.0.0", name: "bench-host-device", type: "host-device", pciBusID: address, ipam };
}

const ipam = { type: "host-local", subnet: "192.0.2.0/24", routes: [{ dst: "198.51.100.0/24" }] };
