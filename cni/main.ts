// The entry of virtfn-cni: hands the process's environment and stdin to run.ts, and its answer back.

import type { Host } from "../host/host.ts";
import { runCni } from "./run.ts";

async function createHost(): Promise<Host> {
  const host = await import("../host/create-host.ts");
  return host.createHost();
}

const reading = Bun.stdin.text();
// Another thread reads: meanwhile this one loads what all verbs but one need (1 ms of an ADD).
if (process.env["CNI_COMMAND"] !== "VERSION") await import("../host/create-host.ts");
const outcome = await runCni({ environment: process.env, stdin: await reading }, createHost);
// process.stdout would cost 12 ms at every start, Bun.write 0.3 ms (measured).
if (outcome.stderr !== "") console.error(outcome.stderr);
if (outcome.stdout !== "") console.log(outcome.stdout);
process.exitCode = outcome.exitCode;
