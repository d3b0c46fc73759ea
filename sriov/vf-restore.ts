// Brings a VF home and puts back what differs from its record's `original`: by comparing, so it can be done any number of times.

import { NetlinkError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { restoreAffinities } from "./affinity-restore.ts";
import type { Attachment, VfOriginal } from "./attachment.ts";
import { restoreChannels, restoreDeviceSettings } from "./device-settings.ts";
import { bindDriver } from "./driver.ts";
import { resetFunction } from "./function-reset.ts";
import { restoreHomeName } from "./home-name.ts";
import { isNetworkVf, readVfBasics, type VfBasics, type VirtualFunction } from "./inventory.ts";
import { applyLinkSizes } from "./link-sizes.ts";
import type { KeptSetting } from "./kept-settings.ts";
import { defaultTraits, restoreTraits } from "./link-traits.ts";
import { restoreNapiValues } from "./napi-values.ts";
import { readNetdevNotes, restoreNotedChannels, restoreNotedValues } from "./netdev-notes.ts";
import { clearPodLeftovers } from "./pod-leftovers.ts";
import { listQueues, ownSysfs, restoreQueueMasks } from "./queue-masks.ts";
import { VfMissingError } from "./vf-errors.ts";
import { awaitPfSide } from "./pf-side.ts";
import { dyingNetnsMs, findHomeLink, findLinkInside, waitForLinks } from "./vf-locate.ts";
import { forgetPodMac, restoreAdminMac, restoreMac } from "./vf-mac.ts";
import { applyVf, type PfSide, readVfInfo } from "./vf-apply.ts";
import type { PciAddress } from "./pci-address.ts";
import { findVfNamespace } from "./vf-search.ts";
import { type HomeNames, moveVfHome } from "./vf-move.ts";
import { partRates, planVf } from "./vf-settings.ts";

export type RestoreHost = Pick<
  Host,
  "files" | "paths" | "locks" | "clock" | "namespaces" | "openNetlink" | "openEthtool" | "trafficPrograms"
>;

/**
 * Brings the record's VF from `netns` (undefined: that namespace is gone), or wherever the pod put it, to the host and makes it as it was: name, MAC, MTU,
 * altnames, channels, rings, masks, driver, PF-side settings; a name that is another link's by then is noted (home-name.ts). Reset first where the network asked for it. Another VF at the same address, or none, is left alone. A VF that the kernel is still
 * bringing back is waited for. Gives what the netdev keeps of the pod all the same. The caller holds the VF's lock. Throws ERR_VF_MISSING, ERR_VF_STEP (RateRefusedError: all else is as it was), ERR_VF_RESET, NetlinkError.
 */
export async function restoreVf(
  host: RestoreHost,
  record: Pick<Attachment, "device" | "original" | "bootId" | "resetBetweenPods"> &
    Partial<Pick<Attachment, "owner">>,
  netns: NetnsHandle | undefined,
): Promise<readonly KeptSetting[]> {
  const { address, inode } = record.device;
  const attached = readVfBasics(host, address);
  if (attached === undefined || String(attached.inode) !== inode) return [];
  if (record.bootId !== host.clock.bootId()) return [];
  restoreAffinities(host, attached);
  using home = host.openNetlink();
  const isBoundAnew = record.original.driver !== undefined && record.original.driver !== attached.driver;
  // Without its PF the VF would keep VLAN and MAC of this pod for the next one.
  const wasReported = record.original.adminMac !== undefined;
  const findSide = (): Promise<PfSide | undefined> => awaitPfSide(host, home, record.device, wasReported);
  const forgetMac = async (): Promise<void> => forgetPodMac(host, await findSide(), record.original);
  if (isBoundAnew) await forgetMac();
  const vf = restoreDriver(host, attached, record.original);
  const from = { netns, isAnywhere: true, names: record.original };
  let link = isNetworkVf(vf) ? await bringHome(host, home, vf, from) : undefined;
  if (link?.isUp === true) home.setLink(link.index, { set: "up", value: false });
  if (record.resetBetweenPods === true) {
    if (link !== undefined) await forgetMac();
    resetFunction(host, vf);
    if (link !== undefined) link = await bringHome(host, home, vf, from);
  }
  const notes = readNetdevNotes(host, vf, link && record.owner);
  // Masks belong to queues, which are others with other channels.
  if (link !== undefined) restoreNotedChannels(host, link.index, notes);
  const { link: restored, kept = [] } = link === undefined ? {} : restoreNetdev(host, home, link, record);
  if (restored !== undefined) restoreNotedValues(host, restored.name, notes);
  const side = await findSide();
  if (restored !== undefined) await restoreMac(host, { home, link: restored, side }, record.original);
  if (side === undefined) return kept;
  const { target } = side;
  if (restored === undefined) await restoreAdminMac(host, side, record.original.adminMac);
  const { adminMac: _restoredWithMac, ...settings } = record.original;
  const { rates, others } = partRates(settings);
  const info = readVfInfo(target);
  await applyVf(host, target, planVf(info, others));
  await applyVf(host, target, planVf(info, rates));
  return kept;
}

// With its driver the netdev comes back, a little later.
function restoreDriver(
  host: Pick<Host, "files" | "paths">,
  vf: VfBasics,
  { driver, driverOverride = "" }: VfOriginal,
): VfBasics {
  if (driver === undefined) return vf;
  bindDriver(host, vf.address, { driver, override: driverOverride });
  return { ...vf, driver };
}

/** Where a VF may be taken from. */
export interface TakenFrom {
  /** The namespace that it should be in; undefined when that is gone. */
  readonly netns: NetnsHandle | undefined;
  /** From any other namespace too: only where a record says that whoever has it now got it from us. */
  readonly isAnywhere: boolean;
  readonly names: HomeNames;
}

/** The VF's link on the host, moved there from a namespace, or waited for. Throws ERR_VF_MISSING. */
export async function bringHome(
  host: RestoreHost,
  home: Netlink,
  vf: Pick<VirtualFunction, "address" | "driver">,
  from: TakenFrom,
): Promise<Link> {
  const { address } = vf;
  const present = findHomeLink(host, home, address) ?? takeHome(host, home, address, from);
  if (present !== undefined) return present;
  const returned = await waitForLinks(host, home, dyingNetnsMs, () => findHomeLink(host, home, address));
  if (returned !== undefined) return returned;
  const where = from.netns === undefined ? "its namespace is gone" : `it is not in ${from.netns.label}`;
  throw new VfMissingError(
    `${address} (driver ${vf.driver ?? "none"}) did not come back to the host within ${dyingNetnsMs} ms: ${where}`,
  );
}

function takeHome(host: RestoreHost, home: Netlink, address: PciAddress, from: TakenFrom): Link | undefined {
  const { netns, isAnywhere, names } = from;
  const taken = netns === undefined ? undefined : takeFrom(host, home, address, { netns, names });
  if (taken !== undefined || !isAnywhere) return taken;
  const found = findVfNamespace(host, address);
  if (found === undefined) return undefined;
  using elsewhere = found.netns;
  return takeFrom(host, home, address, { netns: elsewhere, names });
}

function takeFrom(
  host: RestoreHost,
  home: Netlink,
  address: PciAddress,
  { netns, names }: { readonly netns: NetnsHandle; readonly names: HomeNames },
): Link | undefined {
  using inside = host.openNetlink(netns);
  const links = inside.listLinks();
  const link = findLinkInside(host, { listLinks: () => links }, netns, address);
  if (link === undefined) return undefined;
  removeUppers(inside, links, link.index);
  using own = host.namespaces.own();
  try {
    return moveVfHome({ netlink: inside, netns }, { netlink: home, netns: own }, link, address, names);
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== "EEXIST") throw error;
    // Somebody on the host was faster with the name: the VF is there under the one that it had in the pod.
    const arrived = findHomeLink(host, home, address);
    if (arrived === undefined) throw error;
    return arrived;
  }
}

// VLANs and the like that a pod made on top of the VF outlive its move (net/8021q/vlan.c), and would carry the old pod's frames
// as long as its namespace exists. Deleting one takes those above it along.
function removeUppers(inside: Netlink, links: readonly Link[], index: number): void {
  const uppers = links.filter(({ lower, kind }) => lower === index && kind !== undefined);
  for (const upper of uppers) {
    try {
      inside.deleteLink(upper.index);
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.errno !== "ENODEV") throw error;
    }
  }
}

function restoreNetdev(
  host: Pick<Host, "files" | "paths" | "openEthtool" | "trafficPrograms">,
  home: Netlink,
  link: Link,
  { device, original }: Pick<Attachment, "device" | "original">,
): { readonly link: Link; readonly kept: readonly KeptSetting[] } {
  const { index } = link;
  clearPodLeftovers(host, home, link);
  for (const altName of link.altNames.filter((name) => !original.altNames.includes(name)))
    home.removeAltName(index, altName);
  if (original.name !== undefined) restoreHomeName(host, home, link, device, original.name);
  for (const altName of original.altNames.filter((name) => !link.altNames.includes(name)))
    addAltNameUnlessTaken(home, index, altName);
  if (original.mtu !== undefined && original.mtu !== link.mtu)
    home.setLink(index, { set: "mtu", value: original.mtu });
  if (original.alias !== undefined && original.alias !== (link.alias ?? ""))
    home.setLink(index, { set: "alias", value: original.alias });
  if (original.txQueueLength !== undefined && original.txQueueLength !== link.txQueueLength)
    home.setLink(index, { set: "txQueueLength", value: original.txQueueLength });
  // Without them the group may be the node's own.
  const wanted = original.traits ?? { ...defaultTraits, group: link.traits.group };
  const kept = [...restoreTraits(home, link, wanted)];
  const restored = home.getLink({ index });
  if (restored === undefined) throw new VfMissingError(`${link.name} vanished while it was put back`);
  kept.push(...restoreSettings(host, restored, original));
  restoreQueueMasks(ownSysfs(host), restored.name, original.queues);
  if (original.napi !== undefined)
    kept.push(...restoreNapiValues(ownSysfs(host), restored.name, original.napi));
  return { link: restored, kept };
}

function restoreSettings(
  host: Pick<Host, "files" | "paths" | "openEthtool">,
  { index, name }: Link,
  { sizes, settings, queues }: VfOriginal,
): readonly KeptSetting[] {
  if (sizes === undefined && settings === undefined) return [];
  using ethtool = host.openEthtool();
  const kept: KeptSetting[] = [];
  if (settings !== undefined) {
    const now = listQueues(ownSysfs(host), name).map((queue) => ({ queue }));
    kept.push(...restoreChannels(ethtool, index, now, queues));
    kept.push(...restoreDeviceSettings(ethtool, index, settings));
  }
  // What ADD itself changed has to go back.
  if (sizes !== undefined) applyLinkSizes(ethtool, index, sizes);
  return kept;
}

function addAltNameUnlessTaken(home: Netlink, index: number, altName: string): void {
  try {
    home.addAltName(index, altName);
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== "EEXIST") throw error;
  }
}
