// Puts a VF's own MAC and its admin MAC back. The two hang together: which may be set when depends on the driver and on trust.

import { NetlinkError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";
import type { VfOriginal } from "./attachment.ts";
import { zeroMac } from "./mac-address.ts";
import { applyVf, readVfInfo, type PfSide } from "./vf-apply.ts";
import { VfReadBackError, VfStepError } from "./vf-errors.ts";
import { planVf } from "./vf-settings.ts";

/** A VF at home, down, with its PF where that is known, as that reports it now. */
export interface HomeVf {
  readonly home: Pick<Netlink, "getLink" | "setLink">;
  readonly link: Link;
  readonly side: PfSide | undefined;
}

/**
 * Puts the MAC and the admin MAC back. A PF that never got an admin MAC reports the VF's own: when that alone brings the
 * original back, the PF is left alone. An original of zero is "none was set". A VF that had not taken its admin MAC yet, and may have
 * no other by now, takes it. Throws ERR_VF_STEP, ERR_VF_READ_BACK.
 */
export async function restoreMac(
  host: Pick<Host, "locks" | "clock">,
  vf: HomeVf,
  original: Pick<VfOriginal, "mac" | "adminMac" | "trust">,
): Promise<void> {
  const { mac, adminMac, trust } = original;
  const { side } = vf;
  const given = adminMac === undefined || adminMac === zeroMac ? mac : adminMac;
  // A trusted VF may have another MAC than its admin MAC: only as long as it is one. Otherwise the MAC goes first: with trust some drivers
  // reset the VF, which takes no MAC meanwhile (ixgbe, i40e, ice).
  if (side?.info.trust === false && trust === true && mac !== given)
    await applyVf(host, side.target, planVf(side.info, { trust }));
  // First, while it can still be told: afterwards the PF reports the VF's own MAC, with or without an admin MAC.
  if (adminMac === zeroMac && side !== undefined) await clearUnlessOwn(host, side, mac);
  if (mac !== undefined) setMac(vf.home, vf.link.index, mac);
  if (side !== undefined && adminMac !== undefined && adminMac !== zeroMac)
    await applyVf(host, side.target, planVf(readVfInfo(side.target), { adminMac }));
  if (mac !== undefined && given !== undefined && !setMac(vf.home, vf.link.index, mac))
    takeAdminMac(vf.home, vf.link.index, given);
}

/** Puts the admin MAC of a VF back that has no netdev, whatever the program that had it chose. Throws ERR_VF_STEP. */
export async function restoreAdminMac(
  host: Pick<Host, "locks" | "clock">,
  side: PfSide,
  adminMac: string | undefined,
): Promise<void> {
  if (adminMac === undefined || adminMac === side.info.mac) return;
  if (adminMac === zeroMac) await clearAdminMac(host, side);
  else await applyVf(host, side.target, planVf(side.info, { adminMac }));
}

/**
 * Clears a MAC at the PF that the VF did not have before: a driver that gets the VF anew would take it, and udev would name the
 * host's interface after it. `side` is undefined where the PF is not on the host. Throws ERR_VF_STEP.
 */
export async function forgetPodMac(
  host: Pick<Host, "locks" | "clock">,
  side: PfSide | undefined,
  { mac, adminMac }: Pick<VfOriginal, "mac" | "adminMac">,
): Promise<void> {
  if (side === undefined || [zeroMac, mac, adminMac].includes(side.info.mac)) return;
  await clearAdminMac(host, side);
}

async function clearUnlessOwn(
  host: Pick<Host, "locks" | "clock">,
  side: PfSide,
  ownMac: string | undefined,
): Promise<void> {
  if (side.info.mac === ownMac) return;
  const isCleared = await clearAdminMac(host, side);
  if (!isCleared && ownMac !== undefined)
    await applyVf(host, side.target, planVf(readVfInfo(side.target), { adminMac: ownMac }));
}

/** Takes the admin MAC away: zero means "none" to most drivers. False for one that refuses it and keeps what it has. */
export async function clearAdminMac(
  host: Pick<Host, "locks" | "clock">,
  { target, info }: PfSide,
): Promise<boolean> {
  try {
    await applyVf(host, target, planVf(info, { adminMac: zeroMac }));
    return true;
  } catch (error) {
    if (error instanceof VfStepError && isRefusal(error.cause)) return false;
    throw error;
  }
}

function isRefusal(cause: unknown): boolean {
  if (cause instanceof NetlinkError) return cause.errno === "EINVAL" || refusals.has(cause.errno);
  return cause instanceof VfReadBackError;
}

/** Sets the VF's own MAC; false when its PF does not allow it (an admin MAC is set, trust is off). */
export function setMac(home: HomeVf["home"], index: number, mac: string): boolean {
  if (home.getLink({ index })?.mac === mac) return true;
  try {
    home.setLink(index, { set: "mac", value: mac });
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && refusals.has(error.errno)) return false;
    throw error;
  }
}

/** Opens and closes the netdev, at which the driver asks its PF for the admin MAC. Throws ERR_VF_READ_BACK when that is not `mac`. */
export function takeAdminMac(home: HomeVf["home"], index: number, mac: string): void {
  home.setLink(index, { set: "up", value: true });
  home.setLink(index, { set: "up", value: false });
  const link = home.getLink({ index });
  if (link?.mac !== mac)
    throw new VfReadBackError(`the MAC of ${link?.name ?? index}`, mac, link?.mac ?? "none");
}

const refusals: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EPERM", "EACCES", "EOPNOTSUPP"]);
