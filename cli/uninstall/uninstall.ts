// Takes virtfn off the node, step by step. Killed in between, the next run does what is left.

import type { Host } from "../../host/host.ts";
import { SriovError } from "../../sriov/errors.ts";
import { IrqBalanceFinder } from "../../tuning/irqbalance/finder.ts";
import { leaveIrqBalance } from "../../tuning/irqbalance/keep-off.ts";
import { restoreRfsTable } from "../../tuning/rfs-table.ts";
import { restoreVf } from "../../tuning/restore.ts";
import { UninstallError } from "./errors.ts";
import { checkNoCall, checkUnused } from "./node-in-use.ts";
import { planUninstall, type UninstallFolders, type UninstallStep } from "./plan.ts";

/** How long a VF that the CNI is working on is waited for. */
const lockTimeoutMs = 5000;

/**
 * Refuses while VFs are in use; else carries the plan out and returns the steps that were done. A pod that came before the entry
 * was gone stops it there: executable and state stay for its DEL. Throws ERR_UNINSTALL, and ERR_SYSTEM_CALL of a step.
 */
export async function uninstall(host: Host, folders: UninstallFolders): Promise<readonly UninstallStep[]> {
  checkUnused(host);
  const tuning = planUninstall(host, folders).filter(isTuning);
  for (const step of tuning) {
    checkUnused(host);
    await applyStep(host, step);
  }
  // Planned again: to put tuning back took locks, which are files.
  const rest = planUninstall(host, folders).filter((step) => !isTuning(step));
  let isQuiet = false;
  for (const step of rest) {
    if (!isQuiet && step.do !== "write" && step.do !== "recover") {
      await checkNoCall(host);
      isQuiet = true;
    }
    checkUnused(host);
    await applyStep(host, step);
  }
  return [...tuning, ...rest];
}

function isTuning(step: UninstallStep): boolean {
  return ["restoreTuning", "leaveIrqBalance", "restoreRfsTable"].includes(step.do);
}

/** "remove /opt/cni/bin/virtfn" */
export function describeStep(step: UninstallStep): string {
  switch (step.do) {
    case "restoreTuning":
      return `put back interrupts and masks of ${step.address}`;
    case "leaveIrqBalance":
      return "take back what irqbalance was told";
    case "restoreRfsTable":
      return "put back net.core.rps_sock_flow_entries";
    case "write":
      return `take the entry out of ${step.path}`;
    case "rename":
    case "recover":
      return `put ${step.from} back as ${step.path}`;
    case "remove":
    case "removeFolder":
      return `remove ${step.path}`;
  }
}

async function applyStep(host: Host, step: UninstallStep): Promise<void> {
  const { files } = host;
  switch (step.do) {
    case "restoreTuning": {
      const { result, problems } = await restoreVf(host, step.address, { evenInPods: "all", lockTimeoutMs });
      // An affinity that is put back at the interrupt's next occurrence, which may never come.
      const isStuck = problems.some(({ code }) => code !== "ERR_AFFINITY_PENDING");
      if (result === "busy" || result === "held" || (result === "incomplete" && isStuck))
        throw new UninstallError(
          [`tuning of ${step.address}: ${result}`, ...problems.map(({ message }) => message)].join("; "),
        );
      return;
    }
    case "leaveIrqBalance":
      try {
        await leaveIrqBalance(host, new IrqBalanceFinder(host));
      } catch (error) {
        if (error instanceof SriovError) throw new UninstallError(error.message, { cause: error });
        throw error;
      }
      return;
    case "restoreRfsTable": {
      const { result, problems } = await restoreRfsTable(host, lockTimeoutMs);
      if (result !== "done")
        throw new UninstallError(
          [`the table of socket flows: ${result}`, ...problems.map(({ message }) => message)].join("; "),
        );
      return;
    }
    case "write":
      if (files.replaceUnchanged(step.path, step)) return;
      throw new UninstallError(`${step.path}: another program has written it just now: try again`);
    case "recover":
      files.recoverDisplaced(step.path);
      return;
    case "rename":
      files.rename(step.from, step.path);
      return;
    case "remove":
      files.remove(step.path);
      return;
    case "removeFolder":
      files.removeFolder(step.path);
      return;
  }
}
