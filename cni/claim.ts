// Before anything is changed: may this VF be given away, and how is it now?

import type { Host } from "../host/host.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";
import { readHolders } from "../kubelet/device-holders.ts";
import { ownerToken, type Attachment, type VfOriginal } from "../sriov/attachment.ts";
import { readAttachment } from "../sriov/attachment-store.ts";
import { RecordCorruptError } from "../sriov/errors.ts";
import { findSeenUser } from "../sriov/device-processes.ts";
import { readDeviceSettings } from "../sriov/device-settings.ts";
import { checkResettable } from "../sriov/function-reset.ts";
import { type Holders, judgeUnreadable } from "../sriov/gone-owners.ts";
import { findHomeName } from "../sriov/home-name.ts";
import { isNetworkVf, isUserspaceVf, readVfBasics, type VfBasics } from "../sriov/inventory.ts";
import { type LinkSizes, planLinkSizes } from "../sriov/link-sizes.ts";
import { readNapiValues } from "../sriov/napi-values.ts";
import { judgeOwner } from "../sriov/liveness.ts";
import { findDeviceUse } from "../sriov/node-use.ts";
import { readOwnerFacts } from "../sriov/owner-facts.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { readPciNetdevs } from "../sriov/pci-device.ts";
import { awaitPfSide } from "../sriov/pf-side.ts";
import { ownSysfs, readQueueMasks } from "../sriov/queue-masks.ts";
import { releaseAttachment } from "../sriov/release.ts";
import { resetUnreadable } from "../sriov/reset-unreadable.ts";
import { type Salvaged, salvageRecord } from "../sriov/salvage-record.ts";
import { findNamedLink } from "../sriov/udev-name.ts";
import type { PfSide } from "../sriov/vf-apply.ts";
import { VfBusyError, VfMissingError, VfNodeUseError } from "../sriov/vf-errors.ts";
import { dyingNetnsMs, findHomeLink, waitForLinks } from "../sriov/vf-locate.ts";
import { toVfSide } from "../sriov/vf-settings.ts";
import { type Notices, tellKept, tellSetAside } from "./call-log.ts";
import { SecondEntryError } from "./errors.ts";
import type { Target } from "./targets.ts";
import { planDriverChange } from "./driver-change.ts";
import { checkMacFree, checkMacOwedToNobody } from "./mac-clash.ts";
import { checkSettable } from "./pf-settings.ts";
import { describeSriovCniPod } from "./sriov-cni-mark.ts";
import { describeLocation, describeRecorded } from "./vf-elsewhere.ts";

type Sysfs = Pick<Host, "files" | "paths">;

/**
 * A VF that is free, at home, and how it is now. `link` is undefined for a VF that a driver hands out to userspace; `side` is
 * undefined where the PF's netdev is not on the host.
 */
export interface Claim {
  readonly vf: VfBasics;
  readonly link: Link | undefined;
  readonly side: PfSide | undefined;
  /** Channels and rings to set; undefined for none. */
  readonly sizes: LinkSizes | undefined;
  readonly original: VfOriginal;
}

/** For whom: "pod shop/web-2 as net1" in messages, the owner token, and the pod's UID where that is known; and who is told what is noticed. */
export interface Claimant {
  readonly title: string;
  readonly token: string;
  readonly uid: string | undefined;
  readonly log: Notices;
}

/**
 * Claims the VF for `who`. An owner that is gone is cleaned up after first; one that is alive is
 * ERR_VF_BUSY. Also ERR_VF_NODE_USE, ERR_VF_MISSING, ERR_VF_RESET, ERR_VF_MAC_TAKEN, ERR_VF_UNSUPPORTED, ERR_LINK_SIZES, ERR_RECORD_FORMAT. The caller holds the VF's lock; `home` is the host's netlink.
 */
export async function claimVf(
  host: Host,
  home: Netlink,
  target: Pick<Target, "address" | "network" | "pickedBy">,
  who: Claimant,
): Promise<Claim> {
  const { address, network } = target;
  await clearOwner(host, home, address, who);
  const vf = readVfBasics(host, address);
  if (vf === undefined) throw new VfMissingError(`there is no virtual function at ${address}`);
  const isUserspace = isUserspaceVf(vf);
  if (!isUserspace && !isNetworkVf(vf)) {
    const driver = vf.driver === undefined ? "no driver" : `the driver ${vf.driver}`;
    throw new VfMissingError(`${address} has ${driver}: expected a network driver, or vfio-pci`);
  }
  if (isUserspace) checkUnclaimed(host, vf, target.pickedBy, who);
  if (network.resetBetweenPods) checkResettable(host, address);
  const driver = planDriverChange(host, vf, network);
  const link = isUserspace ? undefined : await findNamedLink(host, home, address);
  if (link === undefined && !isUserspace)
    throw new VfBusyError(`cannot give ${address} to ${who.title}: ${describeLocation(host, address)}`);
  if (link !== undefined) checkNodeUse(host, home, vf.address, link);
  const side = await awaitPfSide(host, home, { pf: vf.pf, vf: vf.index });
  checkSettable(host, { side, vf, link }, network);
  if (side !== undefined && network.mac !== undefined) {
    checkMacFree(side.target, network.mac);
    checkMacOwedToNobody(host, side.target, network.mac);
  }
  if (side !== undefined && network.mtu !== undefined) tellLargeMtu(home, target, side.target, who.log);
  const settings = side === undefined ? {} : toVfSide(side.info);
  const sizes = link === undefined ? undefined : planLinkSizes(host.openEthtool, link, network);
  const netdev = { ...readNetdev(host, link), ...readName(host, vf, link) };
  const original = { ...netdev, sizes: sizes?.before, ...settings, ...driver };
  return { vf, link, side, sizes: sizes?.after, original };
}

// Without a netdev only a mark tells of a pod that sriov-cni started, and only a process of a machine or program of the node. Of the
// latter the kubelet hands none out.
function checkUnclaimed(
  host: Sysfs & Pick<Host, "namespaces" | "clock">,
  vf: VfBasics,
  pickedBy: Target["pickedBy"],
  { title }: Claimant,
): void {
  const holder =
    describeSriovCniPod(host, vf.address) ?? (pickedBy === "cni" ? findSeenUser(host, vf) : undefined);
  if (holder !== undefined) throw new VfBusyError(`cannot give ${vf.address} to ${title}: ${holder}`);
}

function readNetdev(
  host: Pick<Host, "files" | "paths" | "openEthtool">,
  link: Link | undefined,
): Omit<VfOriginal, "sizes" | "driver" | "driverOverride"> {
  if (link === undefined) return { altNames: [], queues: [] };
  const { name, mac, mtu, altNames, alias = "", txQueueLength, traits } = link;
  const sysfs = ownSysfs(host);
  const [queues, napi] = [readQueueMasks(sysfs, name), readNapiValues(sysfs, name)];
  using ethtool = host.openEthtool();
  const settings = readDeviceSettings(ethtool, link.index);
  return { name, mac, mtu, altNames, alias, txQueueLength, traits, queues, settings, napi };
}

// That of its own, where it could not have that since the pod before.
function readName(
  host: Pick<Host, "files" | "paths">,
  { address, inode }: VfBasics,
  link: Link | undefined,
): Pick<VfOriginal, "name"> {
  const name = link && findHomeName(host, { address, inode: String(inode) }, link);
  return name === undefined ? {} : { name };
}

async function clearOwner(host: Host, home: Netlink, address: PciAddress, who: Claimant): Promise<void> {
  let record: Attachment | undefined;
  try {
    record = readAttachment(host, address);
  } catch (error) {
    if (!(error instanceof RecordCorruptError)) throw error;
    return await clearUnreadable(host, address, who, { error, salvaged: salvageRecord(host, address) });
  }
  if (record === undefined) return;
  let verdict = judgeOwner(readOwnerFacts(host, record));
  if (verdict.isDying) {
    await waitForLinks(host, home, dyingNetnsMs, () => findHomeLink(host, home, address));
    verdict = judgeOwner(readOwnerFacts(host, record));
  }
  if (verdict.state === "alive") {
    if (record.state !== "attached" || ownerToken(record.owner) !== who.token) {
      const where = verdict.isDying ? `: ${describeRecorded(host, address)}` : "";
      throw new VfBusyError(describeBusy(record, who.title, `${verdict.reason}${where}`));
    }
    throw new SecondEntryError(
      `${address} is ${record.interface} of this container already: expected one ADD, from one virtfn entry in the plugin list`,
    );
  }
  tellKept(who.log, address, await releaseAttachment(host, record, undefined));
}

// What a record cannot tell is not how the VF was: the next pod must not get the settings of the one before.
async function clearUnreadable(
  host: Host,
  address: PciAddress,
  who: Claimant,
  { error, salvaged }: { readonly error: RecordCorruptError; readonly salvaged: Salvaged },
): Promise<void> {
  const ofOthers: Holders = (device) => readHolders(host, device)?.filter((uid) => uid !== who.uid);
  const judgement = judgeUnreadable(host, { address, error, salvaged }, ofOthers);
  if (judgement.action === "keep")
    throw new VfBusyError(`cannot give ${address} to ${who.title}: ${judgement.reason}`);
  const reason = error.message;
  tellKept(who.log, address, await resetUnreadable(host, address, { salvaged, netns: undefined, reason }));
  tellSetAside(who.log, address, reason);
}

// Some cards take any MTU of a VF, and drop what is longer than the PF's: nothing fails then.
function tellLargeMtu(
  home: Netlink,
  { address, network }: Pick<Target, "address" | "network">,
  { pfName, pfIndex }: PfSide["target"],
  log: Notices,
): void {
  const pfMtu = home.getLink({ index: pfIndex })?.mtu;
  if (pfMtu === undefined || network.mtu === undefined || network.mtu <= pfMtu) return;
  const fields = { pciAddress: address, mtu: String(network.mtu), pf: pfName, pfMtu: String(pfMtu) };
  log.add("warning", "the MTU is larger than the PF's: many cards drop what is longer", fields);
}

function checkNodeUse(host: Sysfs, home: Netlink, address: PciAddress, link: Link): void {
  const reason = findUseOfNode(host, home, address, link);
  if (reason !== undefined) throw new VfNodeUseError(address, reason);
}

/** What the node has the VF for, or `undefined`. Cheap first: a VF that is down and below nothing is no use to the node. */
export function findUseOfNode(
  host: Sysfs,
  home: Netlink,
  address: PciAddress,
  link: Link,
): string | undefined {
  if (!link.isUp && link.master === undefined) return undefined;
  const network = {
    links: home.listLinks(),
    addresses: home.listAddresses(),
    routes: home.listRoutes(),
  };
  return findDeviceUse([{ address, netdevs: readPciNetdevs(host, address) }], network).get(address);
}

function describeBusy(record: Attachment, who: string, reason: string): string {
  return `cannot give ${record.device.address} to ${who}: it is ${describeHolder(record)}; ${reason}`;
}

/** "attached to pod shop/web-1, container 4f1c09 as net1 since 2026-01-01T00:00:00Z". */
export function describeHolder(record: Attachment): string {
  const { owner, createdAt } = record;
  const holder = owner.pod === undefined ? "" : `pod ${owner.pod.namespace}/${owner.pod.name}, `;
  const container = `${holder}container ${owner.containerId.slice(0, 12)}`;
  return `attached to ${container} as ${record.interface} since ${createdAt}`;
}
