// How long a pod waits for its pins in the emulated node: from the end of an ADD until each queue's interrupt is on one CPU.

import { join } from "node:path";

import type { LabNode } from "../../lab/node/lab-node.ts";
import { compile } from "../../run/build.ts";
import { onBenchNode, waitForFirstVf } from "../bench-node.ts";
import { type Percentiles, percentilesOf } from "./percentiles.ts";

export interface TimeToPin extends Percentiles {
  readonly goals: { readonly p50Ms: 1000 };
}

const programs = {
  virtfn: { entry: "cli/main.ts", life: "daemon" },
  "virtfn-cni": { entry: "cni/main.ts", life: "call" },
} as const;
const inGuest = "/opt/virtfn-bench";
/** The first ones warm up caches and the emulator. */
const warmUps = 2;

/** Compiles into `folder`, and has `rounds` pods of one VF come and go in a node with the tuning daemon; `labDir` is a lab that runs already. */
export async function measureTimeToPin(
  folder: string,
  rounds: number,
  labDir: string | undefined,
): Promise<TimeToPin> {
  for (const [name, { entry, life }] of Object.entries(programs)) {
    console.error(`compiling ${entry}`);
    await compile(entry, join(folder, name), life);
  }
  return await onBenchNode(labDir, async (node) => {
    for (const name of Object.keys(programs))
      await node.copyIn(join(folder, name), `${inGuest}/${name}`, "0755");
    console.error(`${rounds} pods one after the other`);
    const vf = await waitForFirstVf(node);
    try {
      const all = await runBesideTuning(node, makeScript(vf, rounds + warmUps));
      return { ...percentilesOf(all.slice(warmUps)), goals: { p50Ms: 1000 } };
    } finally {
      await node.run("ip netns del bench");
    }
  });
}

async function runBesideTuning(node: LabNode, script: string): Promise<readonly number[]> {
  await node.run(`systemd-run --quiet --collect --unit=virtfn-bench ${inGuest}/virtfn tuning --listen=off`);
  try {
    const stdout = await node.run(script, { timeoutMs: 1_800_000 });
    return stdout.split("\n").map((microseconds) => Number(microseconds) / 1000);
  } finally {
    await node.run("systemctl stop virtfn-bench");
  }
}

/**
 * Prints microseconds, a line each. MSI indexes 0 and 1 are igbvf's queues: two on two CPUs of their node. Without tuning both are
 * wherever the driver's open puts them, on all CPUs of the node or on the first; each DEL puts that back. Waits by a read that nobody
 * answers: a busy loop would take a CPU from what it measures.
 */
function makeScript(vf: string, rounds: number): string {
  const config = { cniVersion: "1.0.0", name: "bench", type: "virtfn", deviceID: vf, ips: ["192.0.2.1/24"] };
  return `set -u
export CNI_NETNS=/run/netns/bench CNI_IFNAME=net1 CNI_PATH=/opt/cni/bin CNI_CONTAINERID=bench
ip netns add bench
exec {never}<> <(:)
call() { CNI_COMMAND=$1 ${inGuest}/virtfn-cni <<< '${JSON.stringify(config)}' >/tmp/bench-answer || { cat /tmp/bench-answer >&2; exit 1; }; }
pinned() {
  local first second
  read -r first </proc/irq/$1/smp_affinity_list && read -r second </proc/irq/$2/smp_affinity_list
  [[ $first =~ ^[0-9]+$ && $second =~ ^[0-9]+$ && $first != "$second" ]]
}
for _ in $(seq ${rounds}); do
  udevadm settle
  call ADD
  from=\${EPOCHREALTIME/./}
  set -- $(ls /sys/bus/pci/devices/${vf}/msi_irqs | sort -n)
  until pinned $1 $2; do
    [ $(( \${EPOCHREALTIME/./} - from )) -lt 60000000 ] || { echo "no pins within 60 s" >&2; exit 1; }
    read -rt 0.01 -u $never
  done
  echo $(( \${EPOCHREALTIME/./} - from ))
  call DEL
done`;
}
