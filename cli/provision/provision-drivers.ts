// The drivers of `virtfn provision`: a line of the report for each resource that one is asked for.

import type { Host } from "../../host/host.ts";
import type { VirtualFunction } from "../../sriov/inventory.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import type { ProvisionSection } from "../../sriov/provision-config.ts";
import type { FindVfUsers } from "../../sriov/provision-desired.ts";
import {
  type DriverGoal,
  type DriverOutcome,
  judgeDrivers,
  listWrongDrivers,
  reconcileDrivers,
} from "../../sriov/provision-drivers.ts";
import type { ProvisionHost } from "../../sriov/provision.ts";
import type { ResourcePool } from "../../sriov/resource-config.ts";
import { describeKnown, failed, type Result } from "./result.ts";

export type DriverHost = ProvisionHost & Pick<Host, "openDevlink">;

/** Gives the VFs of each resource the driver that is asked for; a dry run tells of the VFs that are there now. */
export async function provisionDrivers(
  host: DriverHost,
  config: { readonly pools: readonly ResourcePool[]; readonly provision: Pick<ProvisionSection, "drivers"> },
  isDryRun: boolean,
  findUsers: FindVfUsers,
): Promise<readonly Result[]> {
  const { drivers } = config.provision;
  const results: Result[] = [];
  for (const [resource, driver] of drivers) {
    const goal = { resource, driver };
    const listWrong = (): readonly VirtualFunction[] => listWrongDrivers(host, config.pools, drivers, goal);
    try {
      const outcome = isDryRun
        ? await foresee(host, goal, listWrong(), findUsers)
        : await reconcileDrivers(host, goal, listWrong, findUsers);
      results.push(describe(goal, outcome, isDryRun));
    } catch (error) {
      results.push(failed(`${resource}: ${describeKnown(error)}`));
    }
  }
  return results;
}

async function foresee(
  host: DriverHost,
  goal: DriverGoal,
  wrong: readonly VirtualFunction[],
  findUsers: FindVfUsers,
): Promise<DriverOutcome> {
  const { free, problems } = await judgeDrivers(host, goal, wrong, findUsers);
  return { changed: free.map(({ address }) => address), problems };
}

function describe(
  { resource, driver }: DriverGoal,
  { changed, problems }: DriverOutcome,
  isDryRun: boolean,
): Result {
  const what = changed.length === 0 ? [] : [`${isDryRun ? "would " : ""}${formatChange(changed, driver)}`];
  const texts = [...what, ...problems.map(describeKnown)];
  const text = `${resource}: ${texts.length === 0 ? `its VFs have ${formatDriver(driver)}` : texts.join("; ")}`;
  return { text, isAsked: problems.length === 0 };
}

function formatChange(vfs: readonly PciAddress[], driver: DriverGoal["driver"]): string {
  return `give ${vfs.join(", ")} to ${formatDriver(driver)}`;
}

function formatDriver(driver: DriverGoal["driver"]): string {
  return driver === "kernel" ? "a driver of the kernel" : driver;
}
