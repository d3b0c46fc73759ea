// Brings home what pods left that are gone, at start and each minute: what a killed CNI or a runtime that never called DEL left.

import { LockTimeoutError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import { readHolders } from "../kubelet/device-holders.ts";
import { ofGoneOwners } from "../sriov/gone-owners.ts";
import { applyHomeNames, planHomeNames } from "../sriov/home-name-repair.ts";
import { keptMessage } from "../sriov/kept-settings.ts";
import { applyRepair, planRepair, type RepairStep } from "../sriov/repair.ts";
import type { TuningMetrics } from "./metrics.ts";

/** Between two repairs. */
export const repairEveryMs = 60_000;

/** A VF that the CNI is working on is left to it: the next repair looks again. */
const lockTimeoutMs = 0;

export interface RepairLoopOptions {
  readonly log: Log;
  readonly metrics: Pick<TuningMetrics, "recordRepair">;
  readonly signal: AbortSignal;
}

/** Runs until `signal` is aborted. What goes wrong is logged once, counted, and tried again the next time. */
export async function keepRepaired(host: Host, { log, metrics, signal }: RepairLoopOptions): Promise<void> {
  let said: ReadonlySet<string> = new Set();
  while (!signal.aborted) {
    const problems = new Set<string>();
    for (const step of await attemptRepair(host, log)) {
      const { address: pciAddress, holder, action, reason, problem, kept = [] } = step;
      if (problem === undefined) log.info({ pciAddress, holder, reason }, action);
      else if (!said.has(problem.message))
        log.warn({ pciAddress, holder, reason, error: problem }, "cannot give a VF back");
      for (const setting of kept) log.warn({ pciAddress, holder, ...setting }, keptMessage);
      if (problem !== undefined) problems.add(problem.message);
      metrics.recordRepair(problem === undefined ? action : "failed");
    }
    said = problems;
    await pause(host, signal);
  }
}

/** What was done and what failed; nothing of it when the records cannot even be listed. */
async function attemptRepair(host: Host, log: Log): Promise<readonly RepairStep[]> {
  try {
    const rule = ofGoneOwners(host, (device) => readHolders(host, device));
    const steps = [
      ...(await applyRepair(host, rule, planRepair(host, rule), { lockTimeoutMs })),
      ...(await applyHomeNames(host, planHomeNames(host), { lockTimeoutMs })),
    ];
    return steps.filter(({ action, problem }) =>
      problem === undefined ? action !== "keep" : !(problem instanceof LockTimeoutError),
    );
  } catch (error) {
    log.error({ error }, "a repair failed");
    return [];
  }
}

async function pause(host: Pick<Host, "clock">, signal: AbortSignal): Promise<void> {
  try {
    await host.clock.sleep(repairEveryMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
