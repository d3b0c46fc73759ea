// virtfn-cni on stand-ins: the entry of the shipped executable with another host, whose root is the first argument. STAND_IN_LOCK_MS
// is how long it waits for a lock.

import type { Host } from "../../host/host.ts";
import { lockTimeoutMs } from "../../host/lock.ts";
import { readStdin } from "../../host/stdin.ts";
import { runOn } from "./run-cni.ts";
import { createStandInHost } from "./stand-in-host.ts";

const root = process.argv[2] ?? "";
const createHost = (): Host =>
  createStandInHost(root, Number(process.env["STAND_IN_LOCK_MS"] ?? lockTimeoutMs));
const call = { environment: process.env, stdin: await readStdin() };
const outcome = await runOn(createHost, call);
if (outcome.stderr !== "") console.error(outcome.stderr);
if (outcome.stdout !== "") console.log(outcome.stdout);
process.exitCode = outcome.exitCode;
