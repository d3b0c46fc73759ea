// The real irqbalance of the lab's node, as Debian's own unit runs it, and pins beside it.
import type { DemoLab } from "../demo/demo-lab.ts";
import { isQueue, type PodVf, readPodVfs } from "../demo/pod-vfs.ts";
import { deletePods, startPods } from "../demo/pods.ts";
import type { LabNode } from "../node/lab-node.ts";
import { waitUntil } from "../wait-until.ts";

/** A CPU of the other NUMA node: irqbalance would never leave the interrupts of these VFs there. */
const pinCpu = 3;

const nodeConfig = "/etc/virtfn/node.yaml";
/** The daemon reads node.yaml at each look, every 30 s at least. */
const pinnedWithinMs = 60_000;

// A message of its socket, and the answer: perl is there in every Debian.
const ask = `ask() { perl -MIO::Socket::UNIX -e '
    $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "no socket: $!"; $s->autoflush; print $s $ARGV[1]; print <$s>
  ' "/run/irqbalance/irqbalance$(systemctl show -p MainPID --value irqbalance).sock" "$1"; }`;

/** Starts it, or starts it again, with a look at the interrupts each second and these further arguments. */
export async function startIrqBalance(node: LabNode, args = ""): Promise<void> {
  await node.run(`set -e
    echo 'IRQBALANCE_ARGS="-t 1 ${args}"' >/etc/default/irqbalance
    systemctl unmask irqbalance
    systemctl restart irqbalance`);
}

/** It is masked at boot and after this: a start costs the emulated node seconds. */
export async function stopIrqBalance(node: LabNode): Promise<void> {
  await node.run("systemctl stop irqbalance; systemctl mask irqbalance");
}

/** Sends it one message. */
export async function tellIrqBalance(node: LabNode, message: string): Promise<void> {
  await node.run(`${ask}\nask "${message}"`);
}

/** IRQs that it was told to leave alone (`setup`), or those that it places (`stats`); ascending. */
export async function listIrqs(node: LabNode, what: "setup" | "stats"): Promise<readonly number[]> {
  const answer = await node.run(`${ask}\nask ${what}`);
  return [...answer.matchAll(/\bIRQ (\d+) /g)].map(([, irq]) => Number(irq)).toSorted((a, b) => a - b);
}

/** Waits until its list is this one; those in `maybe` may be missing. */
export async function waitForBans(
  node: LabNode,
  irqs: readonly number[],
  timeoutMs: number,
  maybe: readonly number[] = [],
): Promise<void> {
  const look = async (): Promise<void> => {
    const now = await listIrqs(node, "setup");
    const wanted = irqs.filter((irq) => now.includes(irq) || !maybe.includes(irq));
    if (now.join() !== wanted.join()) throw new Error(`the list is ${now.join()}`);
  };
  await waitUntil(`irqbalance's list ${irqs.join()}`, look, { timeoutMs });
}

/** Starts these pods with a VF each, all of whose queues are pinned to `pinCpu`; gives the VFs. */
export async function startPinnedPods(lab: DemoLab, pods: readonly string[]): Promise<readonly PodVf[]> {
  await writeNodeConfig(lab.node);
  await startPods(lab, Object.fromEntries(pods.map((pod) => [pod, 1])));
  const vfs = await readPodVfs(lab, pods);
  await waitForPins(lab.node, listQueues(vfs), pinnedWithinMs);
  return vfs;
}

/** Has tuning pin all queues to `pinCpu`; `configure`: and change irqbalance's configuration. */
export async function writeNodeConfig(node: LabNode, configure = false): Promise<void> {
  const config = `tuning: {policy: explicit, cpus: ${pinCpu}, rps: "off", irqbalance: {configure: ${configure}}}`;
  await node.run(`mkdir -p /etc/virtfn; echo '${config}' >${nodeConfig}`);
}

export async function removePinnedPods(lab: DemoLab, pods: readonly string[]): Promise<void> {
  await deletePods(lab, pods);
  await lab.node.run(`rm -f ${nodeConfig}`);
}

/** IRQs of the VFs, ascending: tuning pins the mailbox's too, to CPUs that no pod has for itself. */
export function listPinned(vfs: readonly PodVf[]): readonly number[] {
  return vfs.flatMap(({ vectors }) => vectors.map(({ irq }) => irq)).toSorted((a, b) => a - b);
}

/** IRQs of the VFs' queues, ascending. */
export function listQueues(vfs: readonly PodVf[]): readonly number[] {
  const queues = vfs.flatMap(({ vectors }) => vectors.filter(isQueue));
  return queues.map(({ irq }) => irq).toSorted((a, b) => a - b);
}

/** Waits until all of them are on `pinCpu`. */
export async function waitForPins(node: LabNode, irqs: readonly number[], timeoutMs: number): Promise<void> {
  const look = async (): Promise<void> => {
    const lost = await watchPins(node, irqs, 0);
    if (lost.length > 0) throw new Error(lost.join(", "));
  };
  await waitUntil(`pins on CPU ${pinCpu}`, look, { timeoutMs });
}

/** Looks at them five times a second, and gives what was found elsewhere: "40 on 0-1"; `meanwhile` is run after a second. */
export async function watchPins(
  node: LabNode,
  irqs: readonly number[],
  seconds: number,
  meanwhile = ":",
): Promise<readonly string[]> {
  const script = `{ sleep 1; ${meanwhile}; } >/dev/null &
    end=$((SECONDS + ${seconds}))
    while
      for irq in ${irqs.join(" ")}; do
        read -r cpus </proc/irq/$irq/smp_affinity_list
        [ "$cpus" = ${pinCpu} ] || echo "$irq on $cpus"
      done
      [ $SECONDS -lt $end ]
    do sleep 0.2; done
    wait`;
  const seen = await node.run(script, { timeoutMs: seconds * 1000 + 60_000 });
  return seen.split("\n").filter(Boolean);
}

/** Packets in both directions between two VFs for so long; gives how many answers came. */
export async function exchange(
  { kubectl }: DemoLab,
  [from, to]: readonly [PodVf, PodVf],
  seconds: number,
): Promise<number> {
  if (to.address === undefined) throw new Error(`pod ${to.pod}: ${to.name} has no address`);
  const command = ["ping", "-q", "-i", "0.01", "-w", String(seconds), "-I", from.name, to.address];
  const said = await kubectl.execInPod({ pod: from.pod }, command, { timeoutMs: seconds * 1000 + 60_000 });
  return Number(/(\d+) received/.exec(said)?.[1]);
}
