// What the fake kernel does when it is asked: the rules of a real one that the programs rely on, and its refusals.

import { NetlinkError } from "../../host/errors.ts";
import type { Link, LinkChange, LinkTraitChange, VfChange } from "../../host/netlink/netlink.ts";
import {
  emit,
  findByName,
  type FakeKernel,
  type FakeLink,
  type FakeNetns,
  type FakeVf,
} from "./fake-host-kernel.ts";
import { moveNetdev, removeNetdev } from "./fake-host-sysfs.ts";

/** Changes one attribute. A link that is up is not renamed (older kernels); an untrusted VF keeps the MAC its PF gave it. */
export function changeLink(netns: FakeNetns, link: FakeLink, change: LinkChange): void {
  switch (change.set) {
    case "up":
      setUp(netns, link, change.value);
      return;
    case "name":
      renameLink(netns, link, change.value);
      return;
    case "mac":
      setMac(link, change.value);
      return;
    case "mtu":
      if (change.value > link.maxMtu || change.value < 68)
        throw refuse(`setting the MTU of ${link.name}`, "EINVAL");
      link.mtu = change.value;
      return;
    case "promiscuous":
      link.isPromiscuous = change.value;
      return;
    case "allMulticast":
      link.isAllMulticast = change.value;
      return;
    case "alias":
      link.alias = change.value === "" ? undefined : change.value;
      return;
    case "txQueueLength":
      link.txQueueLength = change.value;
      return;
    case "withoutXdp":
      if (link.xdp.some(({ mode, isHeld }) => mode === change.value && isHeld))
        throw refuse(`taking XDP off ${link.name}`, "EBUSY");
      link.xdp = link.xdp.filter(({ mode }) => mode !== change.value);
      return;
    case "trait":
      setTrait(link, change);
      return;
    default:
      change satisfies never;
  }
}

/**
 * Moves a link: it loses "up", addresses and routes, and keeps MAC, MTU, altnames and queue settings. It gets `name` after the
 * move, or at once where its present one is taken.
 */
export function moveLink(
  kernel: FakeKernel,
  { netns: from, link }: { readonly netns: FakeNetns; readonly link: FakeLink },
  to: FakeNetns,
  name?: string,
): void {
  const before = link.name;
  const first = findByName(to, before) === undefined ? before : (name ?? before);
  const clash = [first, ...link.altNames].find((taken) => findByName(to, taken) !== undefined);
  if (clash !== undefined) throw refuse(`moving ${link.name} to ${to.label}`, "EEXIST");
  kernel.moves += 1;
  setUp(from, link, false);
  link.addresses = [];
  link.sysctls.clear();
  from.links.delete(link.index);
  from.routes = from.routes.filter((route) => route.index !== link.index);
  emit(from, { event: "linkGone", index: link.index, name: before });
  link.name = first;
  if (to.links.has(link.index)) link.index = kernel.nextIndex++;
  to.links.set(link.index, link);
  if (link.device !== undefined) {
    moveNetdev({ sysfs: from.sysfs, name: before }, { sysfs: to.sysfs, name: first }, link.device);
  }
  announceLink(to, link);
  if (name !== undefined) renameLink(to, link, name);
}

/** Ends a namespace: its NICs come back to the host under the names they had there, `dev<index>` when that is taken, and lose altnames that are. */
export function destroyNetns(kernel: FakeKernel, netns: FakeNetns): void {
  for (const link of netns.links.values()) {
    if (link.device === undefined) continue;
    setUp(netns, link, false);
    if (findByName(kernel.host, link.name) !== undefined) renameLink(netns, link, `dev${link.index}`);
    link.altNames = link.altNames.filter((name) => findByName(kernel.host, name) === undefined);
    moveLink(kernel, { netns, link }, kernel.host);
  }
  netns.isGone = true;
}

/** Destroys the netdev of the device, wherever it is. */
export function dropLink(kernel: FakeKernel, device: string): void {
  for (const netns of [kernel.host, ...kernel.mounted.values()])
    for (const link of [...netns.links.values()].filter((found) => found.device === device)) {
      netns.links.delete(link.index);
      netns.routes = netns.routes.filter((route) => route.index !== link.index);
      removeNetdev(netns.sysfs, link.name, device);
      emit(netns, { event: "linkGone", index: link.index, name: link.name });
    }
}

/** Applies one PF-side setting of a VF, with the refusals of the PF's driver. */
export function changeVf(pf: FakeLink, vf: FakeVf, change: VfChange): void {
  const doing = `setting ${change.set} of ${pf.name} vf ${vf.vf}`;
  switch (change.set) {
    case "mac":
      if ((Number.parseInt(change.mac.slice(0, 2), 16) & 1) === 1) throw refuse(doing, "EINVAL");
      vf.mac = change.mac;
      vf.hasAdminMac = change.mac !== "00:00:00:00:00:00";
      return;
    case "vlan":
      if (change.vlan > 4095 || change.qos > 7) throw refuse(doing, "EINVAL");
      if (change.vlanProto === "802.1ad" && pf.driver === "igb") throw refuse(doing, "EPROTONOSUPPORT");
      Object.assign(vf, { vlan: change.vlan, qos: change.qos, vlanProto: change.vlanProto });
      return;
    case "rate":
      if (
        pf.driver === "igb" &&
        (!pf.hasCarrier || change.minTxRateMbps !== 0 || change.maxTxRateMbps > 1000)
      )
        throw refuse(doing, "EINVAL");
      Object.assign(vf, { minTxRateMbps: change.minTxRateMbps, maxTxRateMbps: change.maxTxRateMbps });
      return;
    case "spoofchk":
      vf.spoofchk = change.value;
      return;
    case "trust":
      vf.trust = change.value;
      return;
    case "linkState":
      if (pf.driver === "igb") throw refuse(doing, "EOPNOTSUPP");
      vf.linkState = change.value;
      return;
    default:
      change satisfies never;
  }
}

/** Tells readers of `netns` how the link is now. */
export function announceLink(netns: FakeNetns, link: FakeLink): void {
  emit(netns, { event: "link", link: toLink(link) });
}

/** The link as netlink reports it. */
export function toLink(link: FakeLink): Link {
  const { index, name, mac, mtu, maxMtu, isUp, isPromiscuous, isAllMulticast, kind, master, lower } = link;
  const flags = { isUp, hasCarrier: link.hasCarrier, isPromiscuous, isAllMulticast };
  const { alias, txQueueLength, xdp, traits, permanentMac } = link;
  const rest = {
    permanentMac,
    kind,
    master,
    lower,
    parentDevice: link.device,
    alias,
    txQueueLength,
    xdp: xdp.map(({ mode, program }) => ({ mode, program })),
    traits,
  };
  return { index, name, altNames: [...link.altNames], mac, mtu, maxMtu, ...flags, ...rest };
}

/** A refusal as the kernel gives it. */
export function refuse(doing: string, errno: string): NetlinkError {
  return new NetlinkError(doing, errno);
}

function setUp(netns: FakeNetns, link: FakeLink, value: boolean): void {
  if (link.isUp === value) return;
  link.isUp = value;
  link.hasCarrier = value && link.carrierAfterMs === 0;
  if (!value) {
    netns.routes = netns.routes.filter((route) => route.index !== link.index);
    takeAdminMac(link);
  }
  announceLink(netns, link);
}

/** Renames it, with the refusals of the kernel. */
export function renameLink(netns: FakeNetns, link: FakeLink, name: string): void {
  if (link.name === name) return;
  if (link.isUp) throw refuse(`renaming ${link.name} to ${name}`, "EBUSY");
  if (findByName(netns, name) !== undefined) throw refuse(`renaming ${link.name} to ${name}`, "EEXIST");
  const before = link.name;
  link.name = name;
  if (link.device !== undefined)
    moveNetdev({ sysfs: netns.sysfs, name: before }, { sysfs: netns.sysfs, name }, link.device);
  announceLink(netns, link);
}

function setTrait(link: FakeLink, { trait, value }: LinkTraitChange): void {
  link.traits = { ...link.traits, [trait]: value };
  if (typeof value !== "number" || value > 65_536) return;
  if (trait === "gsoMaxSize") link.traits = { ...link.traits, gsoIpv4MaxSize: value };
  if (trait === "groMaxSize") link.traits = { ...link.traits, groIpv4MaxSize: value };
}

function setMac(link: FakeLink, mac: string): void {
  const side = link.pfSide;
  if (side?.hasAdminMac === true && side.trust !== true && mac !== link.mac)
    throw refuse(`setting the MAC of ${link.name}`, "EADDRNOTAVAIL");
  link.mac = mac;
  if (side !== undefined) side.mac = mac;
}

/** igbvf takes what the PF has set for it when it is closed. */
function takeAdminMac(link: FakeLink): void {
  if (link.pfSide?.hasAdminMac === true) link.mac = link.pfSide.mac;
}
