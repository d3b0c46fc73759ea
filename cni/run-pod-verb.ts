// ADD and DEL: what needs the configuration and the node. Loaded only for them, so that VERSION starts without it.

import type { Host } from "../host/host.ts";
import { isReleasedThisBoot } from "../sriov/released-boot.ts";
import type { CniCall } from "./environment.ts";
import { parseRequest, type Request } from "./request.ts";
import { emptyResult, formatResult } from "./result.ts";
import { createSteps, type Steps } from "./steps.ts";
import { findTargets } from "./targets.ts";

/** Runs the verb; stdout is ADD's result, stderr the time of each step where the configuration's logLevel wants it. */
export async function runPodVerb(
  host: Host,
  verb: "ADD" | "DEL",
  call: CniCall,
  stdin: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const request = parseRequest(call, stdin);
  const steps = createSteps(host);
  const problems = verb === "ADD" ? await clearEarlierBoots(host, steps) : [];
  const stdout = verb === "ADD" ? await runAdd(host, request, steps) : await runDel(host, request, steps);
  const title = `virtfn: ${verb} ${call.containerId} ${call.ifName}`;
  const lines = problems.map(({ name, message }) => `${title}: left of an earlier boot: ${name}: ${message}`);
  lines.push(...request.problems.map((problem) => `${title}: passed over in the configuration: ${problem}`));
  if (request.config.hasTimings) lines.push(`${title}: ${steps.toText()}`);
  return { stdout, stderr: lines.join("\n") };
}

// The first ADD after a start of the node, before it asks for addresses: the leases of before may be all there are.
async function clearEarlierBoots(host: Host, steps: Steps): Promise<readonly Error[]> {
  return await steps.wait("earlier boots", async () => {
    if (isReleasedThisBoot(host)) return [];
    const { releaseEarlierBoots } = await import("../sriov/earlier-boots.ts");
    return await releaseEarlierBoots(host);
  });
}

// Most pods have no VF: they do not load what gives one.
async function runAdd(host: Host, request: Request, steps: Steps): Promise<string> {
  const { call, config, pod } = request;
  if (config.pf !== undefined) return await runAddOfPf(host, request, steps);
  const targets = await steps.wait("devices", () => findTargets(host, call, config, pod));
  if (targets.length === 0) return formatResult(config.prevResult ?? emptyResult, config.cniVersion);
  const [{ add }, { checkNodeLimits }, { reserveTargets }] = await Promise.all([
    import("./add.ts"),
    import("./node-limits.ts"),
    import("./reservation.ts"),
  ]);
  await steps.wait("node limits", () => checkNodeLimits(host, config, targets));
  const result = await add(host, request, () => reserveTargets(host, targets), steps);
  return formatResult(result, config.cniVersion);
}

async function runAddOfPf(host: Host, request: Request, steps: Steps): Promise<string> {
  const [{ add }, { reserveOfPf }] = await Promise.all([import("./add.ts"), import("./reserve-of-pf.ts")]);
  const result = await add(host, request, (home) => reserveOfPf(host, home, request, steps), steps);
  return formatResult(result, request.config.cniVersion);
}

async function runDel(host: Host, request: Request, steps: Steps): Promise<string> {
  const { del } = await import("./delete.ts");
  await del(host, request, steps);
  return "";
}
