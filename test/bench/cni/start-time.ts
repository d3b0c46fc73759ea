// Process start and VERSION, natively, beside an empty executable of the same compiler in the same rounds.

import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compile } from "../../run/build.ts";
import { pairwise, spreadOf, type Spread } from "./figures.ts";

export interface StartFigures {
  readonly emptyMs: Spread;
  readonly versionMs: Spread;
  readonly overEmptyMs: Spread;
  readonly vsVersionMs: Spread | undefined;
}

/** Runs `rounds` rounds after ten that do not count. `vs` is another CNI executable. */
export async function measureStart(executable: string, rounds: number, vs?: string): Promise<StartFigures> {
  const folder = await mkdtemp(join(tmpdir(), "virtfn-bench-"));
  try {
    const source = join(folder, "empty.ts");
    await writeFile(source, "");
    await compile(source, join(folder, "empty-compiled"), "call");
    // Copied one after the other: how a file lies in the page cache is worth some milliseconds.
    await copyFile(join(folder, "empty-compiled"), join(folder, "empty"));
    await copyFile(executable, join(folder, "virtfn-cni"));
    const programs = [join(folder, "empty"), join(folder, "virtfn-cni"), ...(vs === undefined ? [] : [vs])];
    const times = programs.map((): number[] => []);
    for (let round = -10; round < rounds; round += 1)
      for (const [at, program] of programs.entries()) {
        const ms = timeVersion(program);
        if (round >= 0) times[at]?.push(ms);
      }
    const [empty = [], version = [], other] = times;
    return {
      emptyMs: spreadOf(empty),
      versionMs: spreadOf(version),
      overEmptyMs: spreadOf(pairwise(version, empty, (a, b) => a - b)),
      vsVersionMs: other === undefined ? undefined : spreadOf(other),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function timeVersion(program: string): number {
  const env = { PATH: "/usr/bin", CNI_COMMAND: "VERSION", CNI_PATH: "dummy" };
  const start = performance.now();
  const { status, error } = spawnSync(program, { env, input: '{"cniVersion":"1.0.0"}' });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`${program} ended with ${status}`, { cause: error });
  return ms;
}
