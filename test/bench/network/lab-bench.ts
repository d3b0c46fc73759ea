// The whole bench inside the emulated node: one PF under test with its VFs, the other, wired to it, the client's. Shows function only.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startLab } from "../../lab/lab.ts";
import type { LabNode } from "../../lab/node/lab-node.ts";
import { prepareLab } from "../../lab/prepare/prepare.ts";
import { createProgress } from "../../lab/progress.ts";
import { waitUntil } from "../../lab/wait-until.ts";
import { compile } from "../../run/build.ts";
import type { BenchOutcome, BenchTools } from "./host-bench.ts";
import type { BenchOptions } from "./options.ts";

/** PFs of the emulated node; both are on one switch. */
const [pf, peer] = ["ens1", "ens2"] as const;
const inGuest = "/var/tmp/vbench";
/** Per run, beside its seconds: set-up, carriers of VFs, netperf's end, all in emulation. */
const slackSeconds = 60;

const programs = {
  "guest-main": { entry: "test/bench/network/guest-main.ts", life: "daemon" },
  "virtfn-cni": { entry: "cni/main.ts", life: "call" },
  virtfn: { entry: "cli/main.ts", life: "daemon" },
} as const;

/** Compiles what runs there, boots a node of its own and gives what the bench in it measured. */
export async function measureInLab(
  options: BenchOptions,
  { signal, progress, measured }: BenchTools,
): Promise<BenchOutcome> {
  const folder = await mkdtemp(join(tmpdir(), "vbench-lab-"));
  try {
    for (const [name, { entry, life }] of Object.entries(programs)) {
      progress(`compiling ${entry}`);
      await compile(entry, join(folder, name), life);
    }
    const lines = createProgress();
    const artifacts = await prepareLab({ progress: lines, signal, withProduct: false });
    await using lab = await startLab({ artifacts, progress: lines, withControlPlane: false, signal });
    const outcome = await measureOn(lab.node, folder, options);
    outcome.measurements.forEach(measured);
    return outcome;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measureOn(node: LabNode, folder: string, options: BenchOptions): Promise<BenchOutcome> {
  // Nothing else on the node's emulated CPUs; the kubelet's pods would hold VFs.
  await node.run("systemctl stop kubelet containerd; systemctl mask --runtime kubelet containerd");
  const links = `ls -d /sys/class/net/${pf}/device/virtfn0/net/* /sys/class/net/${peer}`;
  await waitUntil("the PFs and VFs", () => node.run(links), { timeoutMs: 120_000 });
  for (const name of Object.keys(programs))
    await node.copyIn(join(folder, name), `${inGuest}/${name}`, "0755");
  const runs = options.rounds * options.variants.length * options.tests.length;
  const seconds = runs * (options.warmUpSeconds + options.seconds + slackSeconds);
  const stdout = await node.run(`${inGuest}/guest-main ${guestArguments(options).join(" ")}`, {
    timeoutMs: (seconds + 120) * 1000,
  });
  return JSON.parse(stdout) as BenchOutcome;
}

/** What the bench in the guest is told; names and numbers only, checked when they were parsed. */
function guestArguments(options: BenchOptions): readonly string[] {
  const told = {
    role: "both",
    pf,
    peer,
    variants: options.variants.join(","),
    baseline: options.baseline,
    tests: options.tests.join(","),
    namespaces: options.namespaces,
    processes: options.processes,
    rounds: options.rounds,
    seed: options.seed,
    seconds: options.seconds,
    "warm-up": options.warmUpSeconds,
  };
  return Object.entries(told).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
