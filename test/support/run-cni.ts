// Runs a CNI call as cni/process.ts does: quickly where it can be.

import { answerQuickly } from "../../cni/answer-quickly.ts";
import { runCni, type CniOutcome } from "../../cni/run.ts";
import type { Environment } from "../../cni/variables.ts";
import type { Host } from "../../host/host.ts";

/** Runs one call on the node of `createHost`, which is called for what touches it. */
export async function runOn(
  createHost: () => Host,
  call: { readonly environment: Environment; readonly stdin: string },
): Promise<CniOutcome> {
  const stdout = answerQuickly(call.environment, call.stdin, createHost);
  return stdout === undefined ? await runCni(call, createHost) : { exitCode: 0, stdout, stderr: "" };
}
