// The entry of virtfn-cni: hands the process's environment and stdin to run.ts, and its answer back.

import { createHost } from "../host/create-host.ts";
import { runCni } from "./run.ts";

const outcome = await runCni({ environment: process.env, stdin: await Bun.stdin.text() }, () => createHost());
if (outcome.stderr !== "") process.stderr.write(outcome.stderr);
if (outcome.stdout !== "") process.stdout.write(outcome.stdout);
process.exitCode = outcome.exitCode;
