// The entry of virtfn-cni: hands the process's environment and stdin to run.ts, and its answer back.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { NodeReader } from "../host/node-reader.ts";
import { runCni } from "./run.ts";

async function createHost(): Promise<Host> {
  const host = await import("../host/create-host.ts");
  // IPAM plugins get what the runtime gave, as from the reference plugins: TRACEPARENT, for one.
  return host.createHost({ environment: process.env });
}

async function createReader(): Promise<NodeReader> {
  const { createNodeReader } = await import("../host/node-reader.ts");
  return createNodeReader();
}

// node:fs, which all other verbs need anyway, would cost this one 1 ms. Without a stdin it answers, too.
async function readInput(): Promise<string | HostError> {
  if (process.env["CNI_COMMAND"] === "VERSION") return await Bun.stdin.text().catch(() => "");
  const { readStdin } = await import("../host/stdin.ts");
  return await readStdin().catch((error: unknown) => {
    if (error instanceof HostError) return error;
    throw error;
  });
}

const call = { environment: process.env, stdin: await readInput() };
const outcome = await runCni(call, createHost, createReader);
// process.stdout would cost 12 ms at every start, Bun.write 0.3 ms (measured).
if (outcome.stderr !== "") console.error(outcome.stderr);
if (outcome.stdout !== "") console.log(outcome.stdout);
process.exitCode = outcome.exitCode;
