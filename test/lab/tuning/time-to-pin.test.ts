// How long a pod that starts alone waits for its pins on the emulated node, by the node's own clock: `bench:tuning -- --lab-rounds N` has more of them.
import { afterAll, beforeAll, expect, test } from "vitest";
import { percentilesOf } from "../../bench/tuning/percentiles.ts";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { runScripts } from "../support/node-scripts.ts";

const lab = await openLabUnderTest();
const { node } = lab;
const vf = "0000:21:10.0";
const pod = barePod("pinned-soon");
const view = {
  hasOwnMounts: true,
  prelude: mountKubeletView([vf], { [pod.uid]: [vf] }),
  timeoutMs: 240_000,
};
const rounds = 9;
let before = "";

beforeAll(async () => {
  before = await readVfState(node);
  await makeNamespaces(node, [pod]);
});

afterAll(async () => {
  await removePods(node, [pod]);
  await waitForVfState(node, before);
});

test("each pod's interrupts come onto CPUs of their own after its ADD; how soon is told", async ({
  annotate,
}) => {
  // The first one warms up caches and the emulator.
  const results = await runScripts(
    node,
    Array.from({ length: rounds + 1 }, () => timePins()),
    view,
  );
  for (const { exitCode, stdout } of results) expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
  const { p50Ms, maxMs } = percentilesOf(results.slice(1).map(({ stdout }) => Number(stdout) / 1000));
  await annotate(
    `emulated, functional only: p50 ${p50Ms} ms, at most ${maxMs} ms in ${rounds} pods (goal 1,000 ms in the median)`,
  );
});

/** Has the VF come and go, and prints microseconds. MSI indexes 0 and 1 are igbvf's queues: two on the two CPUs of their node. */
function timePins(): string {
  const config = { cniVersion: "1.0.0", name: "soon", type: "virtfn", deviceID: vf, ips: ["192.0.2.1/24"] };
  const call = (command: string): string => formatCall({ command, config, ...pod, ifName: "net1" });
  // Waits by a read that nobody answers: a busy loop would take a CPU from what it measures.
  return `exec {never}<> <(:)
    udevadm settle
    answer=$(${call("ADD")}) || { echo "$answer"; exit 1; }
    from=\${EPOCHREALTIME/./}
    set -- $(ls /sys/bus/pci/devices/${vf}/msi_irqs | sort -n)
    until read -r tx </proc/irq/$1/smp_affinity_list && read -r rx </proc/irq/$2/smp_affinity_list &&
      [[ $tx =~ ^[0-9]+$ && $rx =~ ^[0-9]+$ && $tx != "$rx" ]]; do
      [ $(( \${EPOCHREALTIME/./} - from )) -lt 30000000 ] || { echo "no pins within 30 s: $tx, $rx"; exit 1; }
      read -rt 0.01 -u $never
    done
    echo $(( \${EPOCHREALTIME/./} - from ))
    ${call("DEL")}`;
}
