// virtfn-cni on stand-ins: the entry of the shipped executable with another host, whose root is the first argument. STAND_IN_LOCK_MS
// is how long it waits for a lock.

import { runCni } from "../../cni/run.ts";
import { lockTimeoutMs } from "../../host/lock.ts";
import { readStdin } from "../../host/stdin.ts";
import { createStandInHost } from "./stand-in-host.ts";

const root = process.argv[2] ?? "";
const outcome = await runCni({ environment: process.env, stdin: await readStdin() }, () =>
  createStandInHost(root, Number(process.env["STAND_IN_LOCK_MS"] ?? lockTimeoutMs)),
);
if (outcome.stderr !== "") console.error(outcome.stderr);
if (outcome.stdout !== "") console.log(outcome.stdout);
process.exitCode = outcome.exitCode;
