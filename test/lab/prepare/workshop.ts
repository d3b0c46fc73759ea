// What every maker of an artefact gets: the cache, the progress, the repository, and programs that leave nothing behind.
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Progress } from "../artifacts.ts";
import { boundTo } from "../bound-command.ts";
import { type Cache, cacheRoot, openCache } from "./cache.ts";

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Workshop {
  readonly cache: Cache;
  readonly progress: Progress;
  /** The repository's folder. */
  readonly repository: string;
  /** Folder of what goes into the guest, test/lab/guest. */
  readonly guest: string;
  /** Runs a program to its end and gives its output. Throws with all it printed when it fails. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /** The same in mount and PID namespaces of its own: when it ends, in whatever way, nothing of it is mounted or running. */
  runContained(command: string, args: readonly string[], options?: RunOptions): Promise<string>;
}

export interface WorkshopOptions {
  readonly progress: Progress;
  /** Ends a program that is running. */
  readonly signal?: AbortSignal | undefined;
}

/** A workshop for this repository. */
export function createWorkshop({ progress, signal }: WorkshopOptions): Workshop {
  async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    signal?.throwIfAborted();
    const { stdout } = await execa(command, args, {
      stdin: "ignore",
      killSignal: "SIGKILL",
      ...(signal === undefined ? {} : { cancelSignal: signal }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...environment, ...options.env },
    });
    return stdout;
  }
  // Root's PATH lacks the folders of mke2fs and ip where root came by su.
  const environment = { LC_ALL: "C.UTF-8", PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
  const contained = [
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
  ];
  const repository = fileURLToPath(new URL("../../..", import.meta.url));
  return {
    cache: openCache(cacheRoot()),
    progress,
    repository,
    guest: fileURLToPath(new URL("../guest", import.meta.url)),
    run,
    runContained: (command, args, options) => {
      const [program, ...rest] = boundTo(process.pid, ["unshare", ...contained, "--", command, ...args]);
      return run(program, rest, options);
    },
  };
}

/** Does `work` as one step of the progress, which ends with `failed` when it throws. */
export async function inStep<T>(workshop: Workshop, title: string, work: () => Promise<T>): Promise<T> {
  const step = workshop.progress.step(title);
  try {
    const result = await work();
    step.done();
    return result;
  } catch (error) {
    step.done("failed");
    throw error;
  }
}
