// ADD and DEL: what needs the configuration and the node. Loaded only for them, so that VERSION starts without it.

import type { Host } from "../host/host.ts";
import { add } from "./add.ts";
import { del } from "./delete.ts";
import type { CniCall } from "./environment.ts";
import { parseRequest } from "./request.ts";
import { formatResult } from "./result.ts";
import { createSteps } from "./steps.ts";

/** Runs the verb; stdout is ADD's result, stderr the time of each step where the configuration's logLevel wants it. */
export async function runPodVerb(
  host: Host,
  verb: "ADD" | "DEL",
  call: CniCall,
  stdin: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const request = parseRequest(call, stdin);
  const steps = createSteps(host);
  const stdout = await run(host, verb, request, steps);
  const line = `virtfn: ${verb} ${call.containerId} ${call.ifName}: ${steps.toText()}`;
  return { stdout, stderr: request.config.hasTimings ? line : "" };
}

async function run(
  host: Host,
  verb: "ADD" | "DEL",
  request: ReturnType<typeof parseRequest>,
  steps: ReturnType<typeof createSteps>,
): Promise<string> {
  if (verb === "ADD") return formatResult(await add(host, request, steps), request.config.cniVersion);
  await del(host, request, steps);
  return "";
}
