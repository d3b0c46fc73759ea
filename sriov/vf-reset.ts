// Puts a VF to what its driver starts with, where nothing tells how it was before.

import type { Host } from "../host/host.ts";
import type { Link, Netlink, VfInfo } from "../host/netlink/netlink.ts";
import type { NetnsHandle } from "../host/netns.ts";
import type { VfSideSettings } from "./attachment.ts";
import { bindDriver, type DriverState } from "./driver.ts";
import { isNetworkVf, readVf, type VirtualFunction } from "./inventory.ts";
import { defaultTraits, restoreTraits } from "./link-traits.ts";
import { defaultNapiValues, restoreNapiValues } from "./napi-values.ts";
import type { PciAddress } from "./pci-address.ts";
import { awaitPfSide } from "./pf-side.ts";
import { clearPodLeftovers } from "./pod-leftovers.ts";
import { ownSysfs, readQueueMasks, resetQueueMasks } from "./queue-masks.ts";
import { applyVf } from "./vf-apply.ts";
import { clearAdminMac, setMac } from "./vf-mac.ts";
import { bringHome, type RestoreHost } from "./vf-restore.ts";
import { partRates, planVf } from "./vf-settings.ts";

/** Where a VF is, undefined: on the host, or the kernel brings it; and the driver that it goes back to, undefined: it keeps its own. */
export interface ResetFrom {
  readonly netns: NetnsHandle | undefined;
  readonly driver?: DriverState | undefined;
}

/**
 * Brings the VF from its namespace and resets what a pod or its network can
 * have set: up, promiscuity, ARP, MTU, alias, queue length, masks, polling, MAC, admin MAC, VLAN, rates, trust, spoofchk, link state. It is
 * called after its PF and number. The caller holds the VF's lock. Throws ERR_VF_MISSING, ERR_VF_STEP, ERR_DRIVER.
 */
export async function resetVf(
  host: RestoreHost & Pick<Host, "files">,
  address: PciAddress,
  { netns, driver }: ResetFrom,
): Promise<void> {
  const attached = readVf(host, address);
  if (attached === undefined) return;
  using home = host.openNetlink();
  const vf = await restoreDriver(host, home, attached, driver);
  const from = { netns, isAnywhere: false, names: { altNames: [] } };
  const link = isNetworkVf(vf) ? await bringHome(host, home, vf, from) : undefined;
  if (link !== undefined) resetNetdev(host, home, link);
  const side = await awaitPfSide(host, home, { pf: vf.pf, vf: vf.index });
  const { rates, others } = partRates(side === undefined ? {} : defaultsFor(side.info));
  if (side !== undefined) {
    if (link !== undefined) nameAfterPf(home, link, `${side.target.pfName}v${vf.index}`);
    await applyVf(host, side.target, planVf(side.info, others));
    // The VF's own, cleared, would be reported as none until the VF is up: a driver sends only a MAC that is new.
    if (side.info.mac !== link?.permanentMac) await clearAdminMac(host, side);
  }
  // Another pod may ask for the one that it had. Where its PF allows none it keeps it.
  if (link?.permanentMac !== undefined) setMac(home, link.index, link.permanentMac);
  if (side !== undefined) await applyVf(host, side.target, planVf(side.info, rates));
}

// With its driver the netdev comes back, a little later; it must not take the MAC that the PF has for the pod.
async function restoreDriver(
  host: RestoreHost,
  home: Netlink,
  vf: VirtualFunction,
  before: DriverState | undefined,
): Promise<VirtualFunction> {
  if (before === undefined) return vf;
  const device = { pf: vf.pf, vf: vf.index };
  const side = before.driver === vf.driver ? undefined : await awaitPfSide(host, home, device);
  if (side !== undefined) await clearAdminMac(host, side);
  bindDriver(host, vf.address, before);
  return { ...vf, driver: before.driver };
}

function resetNetdev(
  host: Pick<Host, "files" | "paths" | "trafficPrograms">,
  home: Netlink,
  link: Link,
): void {
  const { index } = link;
  if (link.isUp) home.setLink(index, { set: "up", value: false });
  clearPodLeftovers(host, home, link);
  restoreTraits(home, link, defaultTraits);
  if (link.mtu !== defaultMtu) home.setLink(index, { set: "mtu", value: defaultMtu });
  if (link.alias !== undefined) home.setLink(index, { set: "alias", value: "" });
  if (link.txQueueLength !== defaultTxQueueLength)
    home.setLink(index, { set: "txQueueLength", value: defaultTxQueueLength });
  const sysfs = ownSysfs(host);
  resetQueueMasks(sysfs, link.name, readQueueMasks(sysfs, link.name));
  restoreNapiValues(sysfs, link.name, defaultNapiValues);
}

// As udev would: it leaves a name that was given by hand alone.
function nameAfterPf(home: Netlink, link: Link, name: string): void {
  const isPossible = Buffer.byteLength(name) <= 15 && home.getLink({ name }) === undefined;
  if (isPossible) home.setLink(link.index, { set: "name", value: name });
}

// Of every Ethernet device. Source: net/ethernet/eth.c, ether_setup.
const defaultMtu = 1500;
const defaultTxQueueLength = 1000;

// Only what the driver reports can be set.
function defaultsFor(info: VfInfo): VfSideSettings {
  return {
    vlan: 0,
    spoofchk: info.spoofchk === undefined ? undefined : true,
    trust: info.trust === undefined ? undefined : false,
    linkState: info.linkState === undefined ? undefined : "auto",
    minTxRateMbps: info.minTxRateMbps === undefined ? undefined : 0,
    maxTxRateMbps: info.maxTxRateMbps === undefined ? undefined : 0,
  };
}
