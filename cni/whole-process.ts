// A CNI call of this process that is not answered quickly: the rest of stdin, the verb, its output and exit code.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Opened, Output } from "./process.ts";
import { runCni } from "./run.ts";

/** Answers the call on a node whose files lie below `root`. */
export async function runWholeProcess(
  root: string,
  output: Output,
  { start, reader }: Opened,
): Promise<void> {
  const stdin =
    start?.isWhole === true ? new TextDecoder().decode(start.bytes) : await readRest(start?.bytes);
  const call = { environment: process.env, stdin };
  const { stdout, stderr, exitCode } = await runCni(call, () => createHost(root), reader);
  // process.stdout would cost 12 ms at every start, Bun.write 0.3 ms (measured).
  if (stderr !== "") output.error(stderr);
  if (stdout !== "") output.log(stdout);
  process.exitCode = exitCode;
}

async function readRest(start: Uint8Array | undefined): Promise<string | HostError> {
  const { readStdin } = await import("../host/stdin.ts");
  return await readStdin(start).catch((error: unknown) => {
    if (error instanceof HostError) return error;
    throw error;
  });
}

async function createHost(root: string): Promise<Host> {
  const host = await import("../host/create-host.ts");
  // IPAM plugins get what the runtime gave, as from the reference plugins: TRACEPARENT, for one.
  return host.createHost({ root, environment: process.env });
}
