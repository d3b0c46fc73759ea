// Puts back everything that tuning changed on the node, and tells what was done.

import type { PciAddress } from "../sriov/pci-address.ts";
import { listTuningRecords } from "../sriov/tuning-store.ts";
import { IrqBalanceFinder } from "./irqbalance/finder.ts";
import { leaveIrqBalance } from "./irqbalance/keep-off.ts";
import type { TuningHost } from "./pass.ts";
import { describeProblem, type Problem } from "./problem.ts";
import { restoreVfs, type RestoreOutcome } from "./restore.ts";
import { restoreRfsTable } from "./rfs-table.ts";

/** In running pods too. Prints a line for each VF, or JSON; gives the exit code: 1 when something could not be put back. */
export async function restoreAll(
  host: TuningHost,
  { isJson, lockTimeoutMs }: { readonly isJson: boolean; readonly lockTimeoutMs: number },
  print: (text: string) => void,
): Promise<number> {
  const outcomes = await restoreVfs(host, listTuningRecords(host), { evenInPods: "all", lockTimeoutMs });
  const table = await restoreRfsTable(host, lockTimeoutMs);
  const problems = [...table.problems, ...(await attemptLeave(host))];
  const restored = listRestored(outcomes);
  const lines = [
    ...restored.map((each) =>
      [
        `${each.address}: ${each.result}, ${each.writes} values written back`,
        ...each.problems.map(({ message }) => `  ${message}`),
      ].join("\n"),
    ),
    ...(table.isWritten ? ["the node's table of socket flows: restored"] : []),
    ...problems.map(({ message }) => message),
  ];
  const text = lines.join("\n") || "tuning has changed nothing";
  print(`${isJson ? JSON.stringify({ restored, problems }, undefined, 2) : text}\n`);
  const isDone = restored.every(({ result }) => result === "restored" || result === "discarded");
  return isDone && table.result === "done" && problems.length === 0 ? 0 : 1;
}

/** The outcomes with the address of each, for people and programs. */
export function listRestored(
  outcomes: ReadonlyMap<PciAddress, RestoreOutcome>,
): readonly (RestoreOutcome & { readonly address: PciAddress })[] {
  return [...outcomes].map(([address, { result, writes, problems }]) => ({
    address,
    result,
    writes,
    problems,
  }));
}

async function attemptLeave(host: TuningHost): Promise<readonly Problem[]> {
  try {
    await leaveIrqBalance(host, new IrqBalanceFinder(host));
    return [];
  } catch (error) {
    return [describeProblem("node", "irqbalance", error)];
  }
}
