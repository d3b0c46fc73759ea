// Runs other programs (IPAM delegates): no shell, no BUN_* in the environment, bounded output and time.

import { ExecError } from "./errors.ts";

export interface ExecRequest {
  /** Absolute path, in the root that programs are run with. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment that all programs get; names that start with BUN_ are dropped. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly timeoutMs: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Exec {
  /** Runs to the program's end, whatever children it leaves behind. A non-zero exit is a result; not startable, timed out or killed by a signal is an ExecError. */
  run(request: ExecRequest): Promise<ExecResult>;
}

/** Longest output that is kept, per stream. */
const outputLimitBytes = 1 << 20;
/** A program that ended has nothing more to say when for so long nothing came. */
const quietMs = 50;

/** What programs get where nobody called this one with an environment for them. */
const ownEnvironment: Environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Real processes, with `root` as their root and `environment` as what each gets besides its request's. Each child leads a process group of its own; time-out and too much output end the
 * whole group. Another root than our own takes chroot(8), which every image with the GNU tools has, and CAP_SYS_CHROOT.
 */
export function createExec(root = "/", environment = ownEnvironment): Exec {
  return {
    run: (request) => run({ ...request, env: withoutBun({ ...environment, ...request.env }) }, root),
  };
}

function withoutBun(environment: Environment): Readonly<Record<string, string>> {
  const kept = Object.entries(environment).flatMap(([name, value]): readonly [string, string][] =>
    value === undefined || name.startsWith("BUN_") ? [] : [[name, value]],
  );
  return Object.fromEntries(kept);
}

async function run(request: ExecRequest, root: string): Promise<ExecResult> {
  const { command, timeoutMs } = request;
  const child = start(request, root);
  const ended = new AbortController();
  const failure = Promise.withResolvers<never>();
  let chunks = 0;
  let quiet: NodeJS.Timeout | undefined;
  function end(why: string): void {
    killGroup(child.pid);
    failure.reject(new ExecError(command, why));
    // Whoever left the group may hold the pipes open for ever.
    ended.abort();
  }
  function note(stream: string, length: number): void {
    chunks += 1;
    if (length > outputLimitBytes) end(`wrote more than ${outputLimitBytes} bytes to ${stream}`);
  }
  // The program's own words are in the pipes when it ends: whoever holds these open then is a child that it left behind. Two
  // rounds at least, as this process may have slept through one without a look at the pipes.
  function endWhenQuiet(before?: number): void {
    quiet = setTimeout(() => (before === chunks ? ended.abort() : endWhenQuiet(chunks)), quietMs);
  }
  void child.exited.then(() => ended.signal.aborted || endWhenQuiet());
  const timer = setTimeout(() => end(`did not end within ${timeoutMs} ms`), timeoutMs);
  try {
    const [stdout, stderr] = await Promise.race([
      failure.promise,
      Promise.all([
        readAll(child.stdout, ended.signal, (length) => note("stdout", length)),
        readAll(child.stderr, ended.signal, (length) => note("stderr", length)),
        child.exited,
      ]),
    ]);
    if (child.signalCode !== null)
      throw new ExecError(command, `was ended by ${child.signalCode}${tailOf(stderr)}`);
    return { exitCode: child.exitCode ?? -1, stdout, stderr };
  } finally {
    clearTimeout(timer);
    clearTimeout(quiet);
  }
}

function start(
  { command, args, env, stdin }: ExecRequest,
  root: string,
): Bun.Subprocess<Blob, "pipe", "pipe"> {
  const inRoot = root === "/" ? [] : ["chroot", root];
  try {
    return Bun.spawn([...inRoot, command, ...args], {
      env,
      stdin: new Blob([stdin]),
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
  } catch (error) {
    throw new ExecError(
      command,
      `could not be started: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

async function readAll(
  stream: ReadableStream<Uint8Array>,
  ended: AbortSignal,
  onChunk: (length: number) => void,
): Promise<string> {
  const reader = stream.getReader();
  ended.addEventListener("abort", () => void reader.cancel().catch(() => {}));
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined) return Buffer.concat(chunks).toString("utf8");
    length += value.length;
    if (length <= outputLimitBytes) chunks.push(value);
    onChunk(length);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Gone between the time-out and here.
  }
}

function tailOf(stderr: string): string {
  const text = stderr.trim().slice(-500);
  return text === "" ? "" : `: ${text}`;
}
