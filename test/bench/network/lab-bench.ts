// The whole bench between two emulated nodes wired together: one is under test with its VFs, the other the client. Shows function only.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LAB_NETWORK } from "../../lab/artifacts.ts";
import { startLab } from "../../lab/lab.ts";
import type { LabNode } from "../../lab/node/lab-node.ts";
import { startPeerNode } from "../../lab/node/peer-node.ts";
import { prepareLab } from "../../lab/prepare/prepare.ts";
import { createProgress } from "../../lab/progress.ts";
import { waitUntil } from "../../lab/wait-until.ts";
import { compile } from "../../run/build.ts";
import { followGuest } from "./follow-guest.ts";
import type { BenchOutcome, BenchTools } from "./host-bench.ts";
import type { BenchOptions } from "./options.ts";

/** On both nodes: the PF with the wire, and the other on the same switch, which would answer for the first one's addresses. */
const [pf, otherPf] = ["ens1", "ens2"] as const;
const inGuest = "/var/tmp/vbench";
const program = `${inGuest}/guest-main`;
/** Per variant and per run, beside its seconds: set-up, carriers of VFs, netperf's end, all in emulation. */
const slackSeconds = 60;

const programs = {
  "guest-main": { entry: "test/bench/network/guest-main.ts", life: "daemon" },
  "virtfn-cni": { entry: "cni/main.ts", life: "call" },
  virtfn: { entry: "cli/main.ts", life: "daemon" },
} as const;

/** Compiles what runs there, boots two nodes of its own and gives what the bench in them measured. */
export async function measureInLab(options: BenchOptions, tools: BenchTools): Promise<BenchOutcome> {
  const { signal, progress } = tools;
  const folder = await mkdtemp(join(tmpdir(), "vbench-lab-"));
  try {
    for (const [name, { entry, life }] of Object.entries(programs)) {
      progress(`compiling ${entry}`);
      await compile(entry, join(folder, name), life);
    }
    const lines = createProgress(progress);
    const artifacts = await prepareLab({ progress: lines, signal, withProduct: false });
    const start = { artifacts, progress: lines, withControlPlane: false, numVfs: [0, 0], signal } as const;
    await using lab = await startLab(start);
    const step = lines.step("client boots");
    await using peer = await startPeerNode(lab, signal);
    step.done();
    await Promise.all([
      makeReady(lab.node, folder, ["guest-main", "virtfn-cni", "virtfn"]),
      makeReady(peer.node, folder, ["guest-main"]),
    ]);
    return await measureBetween(lab.node, peer.node, options, tools);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Nothing else on the node's emulated CPUs, and no socket of a kubelet that would be asked about pods; the PF alone on the wire. */
async function makeReady(
  node: LabNode,
  folder: string,
  names: readonly (keyof typeof programs)[],
): Promise<void> {
  // The agent is there before the PFs are: this waits for them.
  await node.run("systemctl start lab-boot", { timeoutMs: 120_000 });
  await node.run(`set -e
    systemctl mask --runtime --now kubelet containerd; rm -rf /var/lib/kubelet/pod-resources
    ip link set ${otherPf} down`);
  for (const name of names) await node.copyIn(join(folder, name), `${inGuest}/${name}`, "0755");
}

async function measureBetween(
  node: LabNode,
  client: LabNode,
  options: BenchOptions,
  tools: BenchTools,
): Promise<BenchOutcome> {
  const runs = options.rounds * options.variants.length * (options.tests.length + 1);
  const timeoutMs = (runs * (options.warmUpSeconds + options.seconds + slackSeconds) + 120) * 1000;
  const measured = followGuest(node, `${program} ${serverArguments(options).join(" ")}`, {
    ...tools,
    timeoutMs,
  });
  const listens = `ss -H -t -l -n 'sport = :${options.port}' | grep -q .`;
  const listening = waitUntil("the node under test listens", () => node.run(listens), { timeoutMs: 120_000 });
  await Promise.race([listening, measured]);
  const server = `${LAB_NETWORK.nodeAddress}:${options.port}`;
  const loaded = client.run(`${program} --role client --pf ${pf} --server ${server}`, { timeoutMs });
  const [outcome] = await Promise.all([measured, loaded]);
  return outcome;
}

/** What the node under test is told; names and numbers only, checked when they were parsed. */
function serverArguments(options: BenchOptions): readonly string[] {
  const told = {
    role: "server",
    pf,
    clients: 1,
    port: options.port,
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
