// The runtimes of a storm, as one process in the namespace of a stand-in node: many calls at once, some of them killed. Prints a StormReport.

import { createStormRandom, type StormOrder, type StormReport } from "./storm.ts";

interface Answer {
  readonly isKilled: boolean;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const order = JSON.parse(await Bun.stdin.text()) as StormOrder;
const counts = { operations: 0, given: 0, busy: 0, killed: 0 };
const problems: string[] = [];
/** How long a call takes now that so many run: the moment of a kill is any of its life. */
let typicalMs = 200;
await Promise.all(order.pods.map((_pod, at) => runPod(at)));
const report: StormReport = { ...counts, problems };
console.log(JSON.stringify(report));

/** One pod after the other in the same namespace: ADD, mostly another's VF now and then, and DEL until it succeeds. */
async function runPod(at: number): Promise<void> {
  const random = createStormRandom(order.seed + at);
  for (let life = 0; counts.operations < order.operations; life += 1) {
    const pod = { at, containerId: `pod${at}-${life}`, config: chooseConfig(at, random) };
    const added = await call("ADD", pod, random);
    if (!added.isKilled) judgeAdd(pod.containerId, added);
    for (let tries = 0; ; tries += 1) {
      const deleted = await call("DEL", pod, tries < 3 ? random : () => 1);
      if (deleted.isKilled) continue;
      // As a runtime does when it is told so.
      if (isTryAgain(deleted)) {
        counts.busy += 1;
        continue;
      }
      if (deleted.exitCode !== 0) problems.push(`DEL of ${pod.containerId}: ${deleted.stdout}`);
      break;
    }
  }
}

function judgeAdd(containerId: string, answer: Answer): void {
  const { exitCode, stdout, stderr } = answer;
  if (exitCode === 0) {
    counts.given += 1;
    return;
  }
  if (isTryAgain(answer)) counts.busy += 1;
  else problems.push(`ADD of ${containerId}: exit code ${exitCode}: ${stdout}${stderr}`);
}

function isTryAgain({ exitCode, stdout }: Answer): boolean {
  if (exitCode === 0 || !stdout.startsWith("{")) return false;
  return (JSON.parse(stdout) as { code?: number }).code === 11 && !/EBUSY|EAGAIN/.test(stdout);
}

function chooseConfig(at: number, random: () => number): object {
  const mac = `02:00:00:00:01:${at.toString(16).padStart(2, "0")}`;
  const common = { ...order.config, vlan: 1 + Math.floor(random() * 4000), mac };
  if (random() < 0.1) return { ...common, pf: "pf0" };
  const own = order.vfs[at % order.vfs.length];
  const any = order.vfs[Math.floor(random() * order.vfs.length)];
  return { ...common, deviceID: random() < 0.3 ? any : own };
}

/** One process; about one of six is killed at some moment of its life. */
async function call(
  verb: string,
  { at, containerId, config }: { readonly at: number; readonly containerId: string; readonly config: object },
  random: () => number,
): Promise<Answer> {
  counts.operations += 1;
  const environment = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: order.pods[at] ?? "",
    CNI_IFNAME: "net1",
    CNI_PATH: "/usr/lib/cni",
  };
  const child = Bun.spawn([...order.command], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdin: new Blob([JSON.stringify(config)]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const startMs = performance.now();
  const isVictim = random() < 0.17;
  const timer = isVictim ? setTimeout(() => child.kill("SIGKILL"), random() * typicalMs) : undefined;
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  clearTimeout(timer);
  const isKilled = child.signalCode === "SIGKILL";
  if (isKilled) counts.killed += 1;
  else typicalMs += (performance.now() - startMs - typicalMs) / 20;
  return { isKilled, exitCode: child.exitCode ?? -1, stdout, stderr };
}
