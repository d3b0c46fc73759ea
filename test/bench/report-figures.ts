// How each bench tells what it measured: one JSON object on stdout, and with `--out` a file of it.

import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, release } from "node:os";
import { join } from "node:path";

export interface ReportOptions {
  /** On one line, for programs. */
  readonly json: boolean;
  /** Folder for NAME.json, made where it is not there. */
  readonly out?: string | undefined;
}

/** What a figure is worth only with. */
export const machine = { cpus: availableParallelism(), kernel: release(), bun: Bun.version };

/** Prints `figures`, and keeps them as `name`.json. */
export async function reportFigures(
  name: string,
  figures: object,
  { json, out }: ReportOptions,
): Promise<void> {
  const text = JSON.stringify(figures, undefined, json ? undefined : 2);
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeFile(join(out, `${name}.json`), `${text}\n`);
  }
  console.log(text);
}
