// ADD and DEL: what needs the configuration and the node. Loaded only for them, so that VERSION starts without it.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { isReleasedThisBoot } from "../sriov/released-boot.ts";
import type { CniCall } from "./environment.ts";
import { createCallLog, tellPassedOver, tellSetAside, type CallLog } from "./call-log.ts";
import { parseRequest, type Request } from "./request.ts";
import { emptyResult, formatResult } from "./result.ts";
import { createSteps, type Steps } from "./steps.ts";
import { findTargets } from "./targets.ts";
import { checkPodHasNoVf } from "./wrong-entry.ts";

/** Runs the verb of `call`; gives what goes to stdout. What is to be said beside it is added to `stderr`, also when it throws. */
export async function runPodVerb(
  host: Host,
  call: CniCall,
  stdin: string,
  stderr: string[],
): Promise<string> {
  const request = parseRequest(call, stdin);
  const steps = createSteps(host);
  const log = createCallLog(host, request, stderr);
  tellPassedOver(log, request.problems);
  const run = call.command === "ADD" ? runAdd : runDel;
  try {
    const stdout = await run(host, request, steps, log);
    // Most calls are for pods that have no VF.
    const level = steps.has("release") || steps.has("claim") ? "info" : "debug";
    log.add(level, `${call.command} done`, timesOf(steps));
    return stdout;
  } catch (error) {
    log.add("error", `${call.command} failed`, { error: String(error), ...timesOf(steps) });
    throw error;
  } finally {
    log.write();
  }
}

function timesOf(steps: Steps): { readonly ms: string; readonly steps: string } {
  return { ms: steps.totalMs().toFixed(1), steps: steps.toText() };
}

// The first ADD after a start of the node, before it asks for addresses: the leases of before may be all there are.
async function clearEarlierBoots(host: Host, log: CallLog): Promise<void> {
  if (isCleared(host)) return;
  const { releaseEarlierBoots } = await import("../sriov/earlier-boots.ts");
  try {
    const { problems, left, setAside } = await releaseEarlierBoots(host);
    for (const { address, reason } of setAside) tellSetAside(log, address, reason);
    for (const error of problems) log.add("warning", "left of an earlier boot", { error: String(error) });
    for (const pciAddress of left)
      log.add("warning", "left of an earlier boot", { pciAddress, error: "there was no time for it" });
  } catch (error) {
    // Records that cannot even be listed fail the pods that need one.
    if (!(error instanceof HostError)) throw error;
    log.add("warning", "nothing of earlier boots can be looked for", { error: String(error) });
  }
}

// A mark that cannot be read says no, and is written anew.
function isCleared(host: Host): boolean {
  try {
    return isReleasedThisBoot(host);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return false;
  }
}

// Most pods have no VF: they do not load what gives one.
async function runAdd(host: Host, request: Request, steps: Steps, log: CallLog): Promise<string> {
  const { call, config, pod } = request;
  await steps.wait("earlier boots", () => clearEarlierBoots(host, log));
  if (request.problems.length > 0) await steps.wait("devices", () => checkPodHasNoVf(host, request));
  if (config.pf !== undefined) return await runAddOfPf(host, request, { steps, log });
  const targets = await steps.wait("devices", () => findTargets(host, call, config, pod));
  if (targets.length === 0) return formatResult(config.prevResult ?? emptyResult, config.cniVersion);
  for (const { address, interface: name, resource, pickedBy } of targets)
    log.add("debug", "VF of the pod", { pciAddress: address, interface: name, resource, pickedBy });
  const [{ add }, { checkNodeLimits }, { reserveTargets }] = await Promise.all([
    import("./add.ts"),
    import("./node-limits.ts"),
    import("./reservation.ts"),
  ]);
  await steps.wait("node limits", () => checkNodeLimits(host, config, targets));
  const result = await add(host, request, () => reserveTargets(host, targets), { steps, log });
  return formatResult(result, config.cniVersion);
}

async function runAddOfPf(
  host: Host,
  request: Request,
  told: { readonly steps: Steps; readonly log: CallLog },
): Promise<string> {
  const [{ add }, { reserveOfPf }] = await Promise.all([import("./add.ts"), import("./reserve-of-pf.ts")]);
  const result = await add(host, request, (home) => reserveOfPf(host, home, request, told.steps), told);
  return formatResult(result, request.config.cniVersion);
}

async function runDel(host: Host, request: Request, steps: Steps, log: CallLog): Promise<string> {
  const { del } = await import("./delete.ts");
  await del(host, request, steps, log);
  return "";
}
