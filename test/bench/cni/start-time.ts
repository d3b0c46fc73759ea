// Process start and the calls that do next to nothing, natively, beside an empty executable of the same compiler in the same rounds.

import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compile } from "../../run/build.ts";
import { pairwise, spreadOf, type Spread } from "./figures.ts";
import { makeIdleNode, type NodeCall } from "./idle-node.ts";

export interface StartFigures {
  readonly emptyMs: Spread;
  readonly calls: readonly CallFigures[];
  readonly vsVersionMs: Spread | undefined;
}

export interface CallFigures {
  readonly call: string;
  readonly ms: Spread;
  /** Less the empty executable's time in the same round. */
  readonly overEmptyMs: Spread;
  readonly goalOverEmptyMs: number;
}

interface Program {
  readonly command: readonly string[];
  readonly call: NodeCall;
}

const version: NodeCall = {
  call: "VERSION",
  environment: { CNI_COMMAND: "VERSION", CNI_PATH: "dummy" },
  config: { cniVersion: "1.0.0" },
  goalOverEmptyMs: 1.5,
};

export interface StartOptions {
  readonly rounds: number;
  /** Another CNI executable. */
  readonly vs: string | undefined;
  /** Ends it between two rounds. */
  readonly signal: AbortSignal;
}

/** Runs the rounds after ten that do not count. */
export async function measureStart(
  executable: string,
  { rounds, vs, signal }: StartOptions,
): Promise<StartFigures> {
  const folder = await mkdtemp(join(tmpdir(), "virtfn-bench-"));
  try {
    const source = join(folder, "empty.ts");
    await writeFile(source, "");
    await compile(source, join(folder, "empty-compiled"), "call");
    await compile("test/bench/cni/folder-main.ts", join(folder, "folder-compiled"), "call");
    // Copied one after the other: how a file lies in the page cache is worth some milliseconds.
    await copyFile(join(folder, "empty-compiled"), join(folder, "empty"));
    await copyFile(executable, join(folder, "virtfn-cni"));
    await copyFile(join(folder, "folder-compiled"), join(folder, "on-folder"));
    const node = makeIdleNode(join(folder, "node"));
    const ours: readonly Program[] = [
      { command: [join(folder, "virtfn-cni")], call: version },
      ...node.calls.map((call) => ({ command: [join(folder, "on-folder"), node.root], call })),
    ];
    const others = [join(folder, "empty"), ...(vs === undefined ? [] : [vs])];
    const programs = [...others.map((path) => ({ command: [path], call: version })), ...ours];
    const times = await runRounds(programs, rounds, signal);
    const empty = times[0] ?? [];
    return {
      emptyMs: spreadOf(empty),
      calls: ours.map(({ call: { call, goalOverEmptyMs } }, at) => {
        const ms = times[others.length + at] ?? [];
        const overEmptyMs = spreadOf(pairwise(ms, empty, (a, b) => a - b));
        return { call, ms: spreadOf(ms), overEmptyMs, goalOverEmptyMs };
      }),
      vsVersionMs: vs === undefined ? undefined : spreadOf(times[1] ?? []),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Milliseconds of each program, round by round. */
async function runRounds(
  programs: readonly Program[],
  rounds: number,
  signal: AbortSignal,
): Promise<readonly (readonly number[])[]> {
  const times = programs.map((): number[] => []);
  for (let round = -10; round < rounds; round += 1) {
    // Signals are seen between turns.
    await new Promise(setImmediate);
    signal.throwIfAborted();
    for (const [at, program] of programs.entries()) {
      const ms = timeCall(program);
      if (round >= 0) times[at]?.push(ms);
    }
  }
  return times;
}

function timeCall({ command: [path = "", ...args], call }: Program): number {
  const { environment, config } = call;
  const env = { PATH: "/usr/bin", ...environment };
  const input = JSON.stringify(config);
  const start = performance.now();
  const { status, error, stdout } = spawnSync(path, args, { env, input, encoding: "utf8" });
  const ms = performance.now() - start;
  if (status !== 0)
    throw new Error(`${call.call} of ${path} ended with ${status}: ${stdout}`, { cause: error });
  return ms;
}
