// Runs other programs (IPAM delegates): no shell, an explicit environment without BUN_*, bounded output and time.

import { ExecError } from "./errors.ts";

export interface ExecRequest {
  /** Absolute path, in the root that programs are run with. */
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; names that start with BUN_ are dropped. */
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
  /** Runs to the end. A non-zero exit is a result; not startable, timed out or killed by a signal is an ExecError. */
  run(request: ExecRequest): Promise<ExecResult>;
}

/** Longest output that is kept, per stream. */
const outputLimitBytes = 1 << 20;

/**
 * Real processes, with `root` as their root. Each child leads a process group of its own; time-out and too much output end the
 * whole group. Another root than our own takes chroot(8), which every image with the GNU tools has, and CAP_SYS_CHROOT.
 */
export function createExec(root = "/"): Exec {
  return { run: (request) => run(request, root) };
}

async function run(request: ExecRequest, root: string): Promise<ExecResult> {
  const { command, timeoutMs } = request;
  const child = start(request, root);
  const ended = new AbortController();
  const failure = Promise.withResolvers<never>();
  function end(why: string): void {
    killGroup(child.pid);
    failure.reject(new ExecError(command, why));
    // Whoever left the group may hold the pipes open for ever.
    ended.abort();
  }
  const timer = setTimeout(() => end(`did not end within ${timeoutMs} ms`), timeoutMs);
  try {
    const [stdout, stderr] = await Promise.race([
      failure.promise,
      Promise.all([
        readBounded(child.stdout, ended.signal, () =>
          end(`wrote more than ${outputLimitBytes} bytes to stdout`),
        ),
        readBounded(child.stderr, ended.signal, () =>
          end(`wrote more than ${outputLimitBytes} bytes to stderr`),
        ),
        child.exited,
      ]),
    ]);
    if (child.signalCode !== null)
      throw new ExecError(command, `was ended by ${child.signalCode}${tailOf(stderr)}`);
    return { exitCode: child.exitCode ?? -1, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

function start(
  { command, args, env, stdin }: ExecRequest,
  root: string,
): Bun.Subprocess<Blob, "pipe", "pipe"> {
  const inRoot = root === "/" ? [] : ["chroot", root];
  try {
    return Bun.spawn([...inRoot, command, ...args], {
      env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("BUN_"))),
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

async function readBounded(
  stream: ReadableStream<Uint8Array>,
  ended: AbortSignal,
  onTooMuch: () => void,
): Promise<string> {
  const reader = stream.getReader();
  ended.addEventListener("abort", () => void reader.cancel().catch(() => {}));
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined) return Buffer.concat(chunks).toString("utf8");
    length += value.length;
    if (length > outputLimitBytes) onTooMuch();
    else chunks.push(value);
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
