// What a network asks the PF of a VF for.

import type { Host } from "../host/host.ts";
import type { Link } from "../host/netlink/netlink.ts";
import type { VfSideSettings } from "../sriov/attachment.ts";
import { zeroMac } from "../sriov/mac-address.ts";
import { readPciNetdevs } from "../sriov/pci-device.ts";
import { applyVf, type PfSide } from "../sriov/vf-apply.ts";
import { VfMissingError, VfUnsupportedError } from "../sriov/vf-errors.ts";
import { setMac } from "../sriov/vf-mac.ts";
import type { Side } from "../sriov/vf-move.ts";
import { planVf } from "../sriov/vf-settings.ts";
import type { Claim } from "./claim.ts";
import type { PodNetwork } from "./config.ts";
import { checkMacFree } from "./mac-clash.ts";

/**
 * Sets the VF's own MAC while its PF may still allow it: then the VF need not be opened and closed for it to take the admin
 * MAC. True when that shows that no admin MAC was set before: an untrusted VF could not have changed what its PF reports. Throws
 * ERR_VF_MAC_TAKEN, ERR_LOCK_TIMEOUT.
 */
export async function chooseOwnMac(
  host: Pick<Host, "locks" | "clock">,
  home: Side,
  link: Link,
  { side }: Pick<Claim, "side">,
  mac: string | undefined,
): Promise<boolean> {
  if (mac === undefined || mac === link.mac) return false;
  const set = async (): Promise<boolean> => {
    // Its driver asks the PF, which reports it from then on: of two ADDs at once the second must see that of the first.
    using _lock = side && (await host.locks.acquire(side.target.pf));
    if (side !== undefined) checkMacFree(side.target, mac);
    return setMac(home.netlink, link.index, mac);
  };
  return (await set()) && side?.info.trust === false && (await reportedOwnMac(host, side));
}

/** How long a driver may take to tell the PF of the VF's own MAC: older ones of Intel do it after they said that it is set. */
const ownMacMs = 300;

// A PF that reports what it did before the VF had another MAC reports an admin MAC, which some drivers force on no VF (mlx5). One of the
// VF's own changes: to the new one, or to none (i40e).
async function reportedOwnMac(host: Pick<Host, "clock">, { target, info }: PfSide): Promise<boolean> {
  const { netlink, pfIndex, vf } = target;
  const endMs = host.clock.monotonicMs() + ownMacMs;
  const report = (): string => netlink.getVf({ index: pfIndex }, vf)?.info.mac ?? info.mac;
  while (info.mac !== zeroMac && report() === info.mac) {
    if (host.clock.monotonicMs() >= endMs) return false;
    await host.clock.sleep(10);
  }
  return true;
}

/** What the network asks the PF for. The MAC goes through the PF too, so that the VF keeps it over a reset. */
export function toVfSettings(network: PodNetwork): VfSideSettings {
  const { mac, vlan, vlanQoS, vlanProto, spoofchk, trust, linkState, minTxRateMbps, maxTxRateMbps } = network;
  const vlanSettings = vlan === undefined ? {} : { vlan, qos: vlanQoS, vlanProto };
  return { adminMac: mac, ...vlanSettings, spoofchk, trust, linkState, minTxRateMbps, maxTxRateMbps };
}

/** Brings the VF's side at the PF, where that is known, to `wanted`. Throws ERR_VF_STEP, ERR_VF_MAC_TAKEN. */
export async function applySettings(
  host: Pick<Host, "locks" | "clock">,
  { side }: Pick<Claim, "side">,
  wanted: VfSideSettings,
  hadNoAdminMac: boolean,
): Promise<void> {
  if (side === undefined) return;
  const { adminMac } = wanted;
  const before = hadNoAdminMac ? { ...side.info, mac: zeroMac } : side.info;
  await applyVf(host, side.target, planVf(before, wanted), () => {
    // Another ADD may have taken it since the VF was claimed.
    if (adminMac !== undefined) checkMacFree(side.target, adminMac);
  });
}

/**
 * Whether the PF can be asked for what `network` wants, before anything is changed. Throws ERR_VF_UNSUPPORTED for what its driver does
 * not report; ERR_VF_MISSING where there is something to set and the PF is not on the host.
 */
export function checkSettable(
  host: Pick<Host, "files" | "paths">,
  { side, vf, link }: Pick<Claim, "side" | "vf" | "link">,
  network: PodNetwork,
): void {
  const wanted = toVfSettings(network);
  if (side !== undefined) {
    planVf(side.info, wanted);
    return;
  }
  const { adminMac, ...others } = wanted;
  // An interface has a MAC of its own, which can be set without the PF.
  const needsPf = link !== undefined && network.driver === undefined ? others : { adminMac, ...others };
  const names = Object.entries(needsPf).flatMap(([name, value]) =>
    value === undefined ? [] : [keyOf(name)],
  );
  if (names.length === 0) return;
  // virtio: its PF knows nothing of its VFs, each has all it needs from the machine below.
  if (readPciNetdevs(host, vf.pf).length > 0) throw new VfUnsupportedError(names.join(", "));
  throw new VfMissingError(
    `setting ${names.join(", ")} of ${vf.address}: its PF ${vf.pf} has no netdev on the host`,
  );
}

const keys: Readonly<Record<string, string>> = {
  adminMac: "mac",
  qos: "vlanQoS",
  linkState: "link_state",
  minTxRateMbps: "min_tx_rate",
  maxTxRateMbps: "max_tx_rate",
};

function keyOf(setting: string): string {
  return keys[setting] ?? setting;
}
