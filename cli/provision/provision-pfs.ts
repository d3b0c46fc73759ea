// The PFs of `virtfn provision`: a line of the report for each that the node has.

import { type PhysicalFunction, readInventory } from "../../sriov/inventory.ts";
import { findProvisionEntry, type ProvisionEntry } from "../../sriov/provision-config.ts";
import {
  type DesiredPf,
  type FindVfUsers,
  observePf,
  reconcilePf,
  refuseUsed,
} from "../../sriov/provision-desired.ts";
import type { ProvisionHost, ProvisionStep } from "../../sriov/provision.ts";
import { describeKnown, failed, type Result } from "./result.ts";

/** Brings the PFs of the node to what the first entry that names them asks for; a dry run tells the plan. */
export async function provisionPfs(
  host: ProvisionHost,
  entries: readonly ProvisionEntry[],
  isDryRun: boolean,
  findUsers: FindVfUsers,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const pf of readInventory(host).pfs.values()) {
    const entry = findProvisionEntry(entries, pf);
    if (entry !== undefined) results.push(await provisionPf(host, pf, entry, isDryRun, findUsers));
  }
  return results;
}

async function provisionPf(
  host: ProvisionHost,
  { address, netdevs }: PhysicalFunction,
  desired: DesiredPf,
  isDryRun: boolean,
  findUsers: FindVfUsers,
): Promise<Result> {
  const name = netdevs[0] === undefined ? address : `${netdevs[0]} (${address})`;
  try {
    const steps = isDryRun
      ? await planOnly(host, address, desired, findUsers)
      : await reconcilePf(host, address, desired, findUsers);
    const what = steps.length === 0 ? "as it shall be" : steps.map(formatStep).join(", ");
    return { text: `${name}: ${isDryRun && steps.length > 0 ? "would " : ""}${what}`, isAsked: true };
  } catch (error) {
    return failed(`${name}: ${describeKnown(error)}`);
  }
}

async function planOnly(
  host: ProvisionHost,
  address: PhysicalFunction["address"],
  desired: DesiredPf,
  findUsers: FindVfUsers,
): Promise<readonly ProvisionStep[]> {
  const { pf, steps } = observePf(host, address, desired);
  await refuseUsed(pf, steps, findUsers);
  return steps;
}

function formatStep(step: ProvisionStep): string {
  switch (step.do) {
    case "bringUp":
      return "bring it up";
    case "setMtu":
      return `set the MTU to ${step.mtu}`;
    case "setNumVfs":
      return step.numVfs === 0 ? "remove all VFs" : `make ${step.numVfs} VFs`;
  }
}
