// A VF as its PF knows it: found by what sysfs shows of the PF, and waited for while a driver does not report it.

import type { Host } from "../host/host.ts";
import type { Attachment } from "./attachment.ts";
import { readPciNetdevs } from "./pci-device.ts";
import type { PciAddress } from "./pci-address.ts";
import type { PfSide, VfOnPf } from "./vf-apply.ts";
import { VfMissingError } from "./vf-errors.ts";

/** The VF as its PF knows it, with what the PF reports now; `undefined` when the PF's netdev is not in the host's namespace. */
export function findPfSide(
  host: Pick<Host, "files" | "paths">,
  netlink: VfOnPf["netlink"],
  { pf, vf }: Pick<Attachment["device"], "pf" | "vf">,
): PfSide | undefined {
  const name = readPciNetdevs(host, pf)[0];
  const found = name === undefined ? undefined : netlink.getVf({ name }, vf);
  if (found === undefined) return undefined;
  const { info, ...pfLink } = found;
  return { target: { netlink, pf, vf, ...pfLink }, info };
}

/** How long a PF may leave out a VF that it has to report, and how often it is looked for meanwhile. */
const unreportedMs = 10_000;
const lookMs = 50;

/**
 * As `findPfSide`, but waits for a VF that `wasReported`, or that is left out of those that its PF reports now: drivers do that while
 * they reset a VF (i40e, ice), and a PF that is reloaded has no netdev for a while. `undefined` where none of the PF's VFs is known
 * to be reported. Throws ERR_VF_MISSING where it takes longer.
 */
export async function awaitPfSide(
  host: Pick<Host, "files" | "paths" | "clock">,
  netlink: VfOnPf["netlink"],
  device: Pick<Attachment["device"], "pf" | "vf">,
  wasReported = false,
): Promise<PfSide | undefined> {
  const endMs = host.clock.monotonicMs() + unreportedMs;
  for (;;) {
    const side = findPfSide(host, netlink, device);
    if (side !== undefined || (!wasReported && listReported(host, netlink, device.pf).size === 0))
      return side;
    if (host.clock.monotonicMs() >= endMs)
      throw new VfMissingError(
        `the PF ${device.pf} does not report its VF ${device.vf} (for ${unreportedMs} ms), so that its settings can be neither read nor set`,
      );
    await host.clock.sleep(lookMs);
  }
}

/** The numbers of the VFs that the PF reports now; none of a PF that is not on the host, or that knows nothing of its VFs. */
export function listReported(
  host: Pick<Host, "files" | "paths">,
  netlink: VfOnPf["netlink"],
  pf: PciAddress,
): ReadonlySet<number> {
  const name = readPciNetdevs(host, pf)[0];
  const link = name === undefined ? undefined : netlink.getLink({ name });
  return new Set(link === undefined ? [] : netlink.listVfs(link.index).map(({ vf }) => vf));
}
