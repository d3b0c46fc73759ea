// A VF for a program in userspace (DPDK): no netdev, so what there is to give are the settings at the PF, and addresses on paper.

import type { Host } from "../host/host.ts";
import type { AppliedSettings } from "../sriov/attachment.ts";
import { bindDriver } from "../sriov/driver.ts";
import { zeroMac } from "../sriov/mac-address.ts";
import { awaitPfSide } from "../sriov/pf-side.ts";
import { readVfInfo, type PfSide } from "../sriov/vf-apply.ts";
import { planAddresses } from "./addresses.ts";
import type { Attached, Attaching } from "./attach.ts";
import { applySettings, chooseOwnMac, toVfSettings } from "./pf-settings.ts";
import type { Steps } from "./steps.ts";

/** Binds it where that is to be done, sets what the PF sets, and asks for addresses, which only the result shows. Throws StepError. */
export async function attachUserspaceVf(
  host: Pick<Host, "files" | "paths" | "locks" | "clock">,
  steps: Steps,
  { target, claim, home, ipam, noteNoAdminMac }: Attaching,
): Promise<Attached> {
  const { network, address } = target;
  const { link, side, vf } = claim;
  const wanted = toVfSettings(network);
  const hadNoAdminMac =
    link !== undefined && (await steps.wait("MAC", () => chooseOwnMac(host, home, link, claim, network.mac)));
  if (hadNoAdminMac) steps.run("record", noteNoAdminMac);
  const driver = network.driver ?? vf.driver;
  if (driver !== vf.driver)
    steps.run("driver", () => bindDriver(host, address, { driver, override: driver ?? "" }));
  await steps.wait("VF settings", async () => {
    // Read again: with the driver before, a MAC that the PF had not set went. Drivers reset the VF when they let go of it (iavf).
    const now = side && (await awaitPfSide(host, home.netlink, side.target, true));
    await applySettings(host, { side: now }, wanted, hadNoAdminMac);
  });
  const answer = await steps.wait("IPAM", ipam);
  const plan = steps.run("addresses", () => planAddresses(answer, network));
  const applied: AppliedSettings = { ...wanted, driver, addresses: [], routes: [] };
  return { target, index: undefined, mac: readMac(side), plan, applied };
}

// What the program finds in the VF, unless it chooses another one.
function readMac(side: PfSide | undefined): string | undefined {
  const mac = side === undefined ? zeroMac : readVfInfo(side.target).mac;
  return mac === zeroMac ? undefined : mac;
}
