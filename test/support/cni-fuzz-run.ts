// Carries generated CNI calls out on fake nodes and judges each: an answer or a coded error, and nothing changed on an error.

import * as fs from "node:fs";
import * as fc from "fast-check";

import { anyFuzzCall, fuzzDevice, type FuzzBase, type FuzzCall } from "./cni-fuzz.ts";
import { createFakeHost, type FakeHost } from "./fake-host.ts";
import { runOn } from "./run-cni.ts";
import { StrayErrors } from "./stray-errors.ts";

/** How often each outcome came: the CNI number of an error, 0 for what changed nothing, "given" for what did. */
export type FuzzOutcomes = ReadonlyMap<number | "given", number>;

/**
 * Runs `count` calls; throws, with the seed and the smallest such call, at the first that is not answered as it should be, or
 * that leaves behind an error nobody waits for.
 */
export async function runFuzz(count: number, seed: number): Promise<FuzzOutcomes> {
  const outcomes = new Map<number | "given", number>();
  using nodes = createNodes();
  using strays = new StrayErrors();
  const calls = anyFuzzCall(nodes.identity);
  await fc.assert(
    fc.asyncProperty(calls, async (call) => {
      const outcome = await runCall(nodes.take(call.base), call);
      await strays.throwAny();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }),
    { numRuns: count, seed },
  );
  await strays.throwAny();
  return outcomes;
}

interface Nodes extends Disposable {
  readonly identity: Readonly<Record<"inode" | "cookie" | "bootId", string>>;
  /** A node as it was at first, for calls of that kind. */
  readonly take: (base: FuzzBase) => FakeHost;
}

// All have the same boot and cookies. A new one is made only when a call (with a record that misleads) has changed the old one.
function createNodes(): Nodes {
  const made = new Map<FuzzBase, { node: FakeHost; text: string }>();
  const take = (base: FuzzBase): FakeHost => {
    const old = made.get(base);
    if (old !== undefined) {
      for (const folder of ["var/lib/virtfn", "run/virtfn/userspace", "run/virtfn/names"])
        fs.rmSync(`${old.node.root}/${folder}`, { recursive: true, force: true });
      old.node.ipam.calls.length = 0;
      if (old.node.toText() === old.text && old.node.locks.held.size === 0) return old.node;
      old.node[Symbol.dispose]();
    }
    const node = createNode(base);
    made.set(base, { node, text: node.toText() });
    return node;
  };
  const node = take("device");
  const inode = String(node.host.files.stat(pciFolder(node))?.inode);
  const cookie = String(node.kernel.mounted.get("/run/netns/web-2")?.cookie);
  return {
    identity: { inode, cookie, bootId: node.host.clock.bootId() },
    take,
    [Symbol.dispose]: () => {
      for (const { node: one } of made.values()) one[Symbol.dispose]();
    },
  };
}

function createNode(base: FuzzBase): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  for (const name of ["web-1", "web-2"]) node.addNetns(name);
  if (base === "chained") node.allocate("u", { app: [fuzzDevice] });
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "pfs: [ens1f0]\n");
  return node;
}

function pciFolder(node: FakeHost): string {
  return fs.realpathSync(`${node.host.paths.sys}/bus/pci/devices/${fuzzDevice}`);
}

async function runCall(node: FakeHost, call: FuzzCall): Promise<number | "given"> {
  const { environment, stdin, record, homeName } = call;
  const { attachments, userspaceCopies, homeNames } = node.host.paths;
  const write = (folder: string, text: string): void =>
    node.host.files.writeAtomic(`${folder}/${fuzzDevice}.json`, text);
  if (record !== undefined) write(record.place === "record" ? attachments : userspaceCopies, record.text);
  if (homeName !== undefined) write(homeNames, homeName);
  // A record that was there may be moved aside, or be given back; none may be left.
  const toText = (): string => withoutName(record === undefined ? node.toText() : textWithoutRecords(node));
  const before = toText();
  const full = { CNI_PATH: `${node.root}/opt/cni/bin`, ...environment };
  const { exitCode, stdout } = await runOn(() => node.host, { environment: full, stdin });
  const answer = stdout === "" ? {} : (JSON.parse(stdout) as { code?: number; msg?: string });
  const isChanged = toText() !== before;
  if (exitCode !== 0) judgeError(call, answer, isChanged);
  if (node.locks.held.size > 0) throw new Error("a lock is still held");
  if (record === undefined && isChanged) await undo(node, call, before);
  return isChanged ? "given" : (answer.code ?? 0);
}

function judgeError(
  { environment, record }: FuzzCall,
  { msg }: { readonly msg?: string },
  isChanged: boolean,
): void {
  if (!/^ERR_(?!UNEXPECTED)/.test(msg ?? "")) throw new Error(`expected a coded error, got ${msg}`);
  // DEL and GC go on after an error, and whose owner is gone is given back before anything else is tried.
  const mayChange =
    ["DEL", "GC"].includes(environment["CNI_COMMAND"] ?? "") || (record !== undefined && !record.isGuarding);
  if (isChanged && !mayChange) throw new Error(`changed, although ${msg}`);
}

// With the record the call left, whatever else it says.
async function undo(node: FakeHost, { environment, stdin }: FuzzCall, before: string): Promise<void> {
  const full = { CNI_PATH: `${node.root}/opt/cni/bin`, ...environment, CNI_COMMAND: "DEL" };
  const { stdout } = await runOn(() => node.host, { environment: full, stdin });
  if (withoutName(node.toText()) !== before) throw new Error(`DEL (${stdout}) left ${node.toText()}`);
}

function textWithoutRecords(node: FakeHost): string {
  return node.toText().replaceAll(/^(attachments|userspace|quarantine) .*\n?/gm, "");
}

// What a VF that was given back is called depends on what the note says, and so does whether there still is one.
function withoutName(text: string): string {
  return text.replaceAll(/\nnames .*/g, "").replace(/^ {2}\S+ 0000:3b:02\.1 (.*) down /m, "  VF $1 down ");
}
