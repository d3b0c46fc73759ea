// A storm: as many pods as there are VFs come and go at once on a node of stand-ins, with processes killed at any moment.

import * as fs from "node:fs";
import { join, resolve } from "node:path";

import { vfAddress } from "./fake-host-nic.ts";
import { createTestNetns, type TestNetns } from "./netns.ts";
import { createStandInNode } from "./stand-in-node.ts";
import { standInPf } from "./stand-in-vfs.ts";

/** What the process of the runtimes is told. */
export interface StormOrder {
  readonly seed: number;
  readonly operations: number;
  readonly command: readonly string[];
  readonly vfs: readonly string[];
  /** Namespaces, one for each pod that lives at a time. */
  readonly pods: readonly string[];
  readonly config: object;
}

export interface StormReport {
  readonly operations: number;
  /** ADDs that succeeded, calls that were told to try again later, and those that were killed. */
  readonly given: number;
  readonly busy: number;
  readonly killed: number;
  /** Answers that are none of these. */
  readonly problems: readonly string[];
}

export interface StormEnd {
  readonly report: StormReport;
  /** The node's text before and after. */
  readonly before: string;
  readonly after: string;
  /** Whatever is left that is not in the text: leases, temporary and quarantined files, interfaces of pods. */
  readonly leftovers: readonly string[];
}

/** Runs `operations` calls of `command` (an executable of stand-in-cni-main.ts) on `count` VFs and as many pods. Needs root and host-local. */
export async function runStorm(
  command: string,
  { count, operations, seed }: { readonly count: number; readonly operations: number; readonly seed: number },
): Promise<StormEnd> {
  using node = createStandInNode(count);
  using stack = new DisposableStack();
  const pods: TestNetns[] = [];
  for (let at = 0; at < count; at += 1) pods.push(stack.use(createTestNetns()));
  fs.mkdirSync(join(node.root, "etc/virtfn"), { recursive: true });
  fs.writeFileSync(join(node.root, "etc/virtfn/node.yaml"), "pfs:\n  - name: pf0\n");
  const before = node.toText();
  const ipam = { type: "host-local", subnet: "10.9.0.0/16", dataDir: join(node.root, "leases") };
  const report = await runRuntimes(node.host.name, {
    seed,
    operations,
    command: [command, node.root],
    vfs: Array.from({ length: count }, (_, vf) => vfAddress(standInPf, vf)),
    pods: pods.map(({ path }) => path),
    config: { cniVersion: "1.0.0", name: "storm", type: "virtfn", ipam },
  });
  const leftovers = [...listFiles(node.root), ...pods.flatMap(listInterfaces)];
  return { report, before, after: node.toText(), leftovers };
}

/** What is wrong with the end of a storm: answers, what is left, and what did not happen at all; nothing when it left the node as it was. */
export function judgeStorm({ report, before, after, leftovers }: StormEnd): readonly string[] {
  const unseen = (["given", "busy", "killed"] as const).filter((kind) => report[kind] === 0);
  const [was, is] = [before.split("\n"), after.split("\n")];
  return [
    ...report.problems,
    ...leftovers.map((path) => `left: ${path}`),
    ...was.filter((line) => !is.includes(line)).map((line) => `gone: ${line}`),
    ...is.filter((line) => !was.includes(line)).map((line) => `new: ${line}`),
    ...unseen.map((kind) => `no call was ${kind}`),
  ];
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function createStormRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function runRuntimes(netns: string, order: StormOrder): Promise<StormReport> {
  const entry = resolve(import.meta.dirname, "storm-main.ts");
  const runtimes = Bun.spawn(["ip", "netns", "exec", netns, process.execPath, entry], {
    stdin: new Blob([JSON.stringify(order)]),
    stderr: "inherit",
  });
  return JSON.parse(await runtimes.stdout.text()) as StormReport;
}

// Everything that calls write lies in these; locks stay, by design.
function listFiles(root: string): readonly string[] {
  return ["var", "run", "leases"]
    .flatMap((folder) => Array.from(new Bun.Glob(`${folder}/**/*`).scanSync({ cwd: root, dot: true })))
    .filter(
      (path) =>
        !/^(run\/virtfn\/(lock\/[^/]+|released-boot)|leases\/storm\/(lock|last_reserved_ip\.0))$/.test(path),
    );
}

function listInterfaces(pod: TestNetns): readonly string[] {
  return pod
    .look("link show")
    .map(({ ifname }) => String(ifname))
    .filter((name) => name !== "lo")
    .map((name) => `${name} in ${pod.name}`);
}
