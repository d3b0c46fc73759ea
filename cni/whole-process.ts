// A CNI call of this process that is not answered quickly: the rest of stdin, the verb, its output and exit code.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { StdinStart } from "../host/node-reader.ts";
import { readStdin } from "../host/stdin.ts";
import { runCni } from "./run.ts";

/** Answers the call on a node whose files lie below `root`; `start` is what was read of stdin before. */
export async function runWholeProcess(root: string, start: StdinStart | undefined): Promise<void> {
  const stdin = await readStdin(start).catch((error: unknown) => {
    if (error instanceof HostError) return error;
    throw error;
  });
  const { stdout, stderr, exitCode } = await runCni({ environment: process.env, stdin }, () =>
    createHost(root),
  );
  // process.stdout would cost 12 ms at every start, Bun.write 0.3 ms (measured).
  if (stderr !== "") console.error(stderr);
  if (stdout !== "") console.log(stdout);
  process.exitCode = exitCode;
}

async function createHost(root: string): Promise<Host> {
  const host = await import("../host/create-host.ts");
  // IPAM plugins get what the runtime gave, as from the reference plugins: TRACEPARENT, for one.
  return host.createHost({ root, environment: process.env });
}
