// A `Host` on the real kernel whose "VFs" are veth ends: for what needs real namespaces and links on a machine without SR-IOV.
// Lives here only: what ships has no such door.

import * as fs from "node:fs";
import { basename, join } from "node:path";

import { createHost } from "../../host/create-host.ts";
import { NetlinkError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { lockTimeoutMs } from "../../host/lock.ts";
import type { Link, Netlink, VfChange, VfInfo } from "../../host/netlink/netlink.ts";
import { createFakeVf } from "./fake-host-kernel.ts";

/** Alias that makes a link the stand-in of a PCI device of one node; aliases survive moves and renames. Other nodes run beside it. */
export function standInAlias(root: string, address: string): string {
  return `stand-in:${basename(root)}:${address}`;
}

/**
 * The real host with its files below `root` (made by stand-in-node.ts). A link with this node's alias looks like the
 * NIC of that PCI device; the PF's side of VFs is a file. Locks are waited for `timeoutMs` where the caller does not say how long.
 */
export function createStandInHost(root: string, timeoutMs: number = lockTimeoutMs): Host {
  const host = createHost({ root, hostRoot: "/" });
  const openNetlink: Host["openNetlink"] = (netns) => standIn(root, host.openNetlink(netns));
  const acquire: Host["locks"]["acquire"] = (name, options) =>
    host.locks.acquire(name, { timeoutMs, ...options });
  return {
    ...host,
    openNetlink,
    locks: { acquire },
    files: { ...host.files, list: (path) => listNetdevs(host, root, path) },
  };
}

function standIn(root: string, netlink: Netlink): Netlink {
  const isPf = (index: number): boolean => toNic(root, netlink.getLink({ index }))?.name === "pf0";
  return {
    ...netlink,
    listLinks: () => netlink.listLinks().map((link) => toNic(root, link) ?? link),
    getLink: (ref) => toNic(root, netlink.getLink(ref)),
    listVfs: (index) => (isPf(index) ? readVfs(root) : netlink.listVfs(index)),
    getVf: (ref, vf) => {
      const pf = netlink.getLink(ref);
      if (pf === undefined || !isPf(pf.index)) return netlink.getVf(ref, vf);
      const info = readVfs(root).find((one) => one.vf === vf);
      return info && { pfIndex: pf.index, pfName: pf.name, info };
    },
    setVf: (index, vf, change) =>
      isPf(index) ? writeVf(root, vf, change) : netlink.setVf(index, vf, change),
  };
}

function toNic(root: string, link: Link | undefined): Link | undefined {
  const start = standInAlias(root, "");
  if (link?.alias?.startsWith(start) !== true) return link;
  const parentDevice = link.alias.slice(start.length);
  return { ...link, alias: undefined, kind: undefined, lower: undefined, parentDevice };
}

// The entries of a device's net folder are those links of this process's namespace that stand for it.
function listNetdevs(host: Host, root: string, path: string): readonly string[] | undefined {
  const address = /\/sys\/bus\/pci\/devices\/([^/]+)\/net$/.exec(path)?.[1];
  if (address === undefined) return host.files.list(path);
  const alias = standInAlias(root, address);
  // Mostly it has the name that it was made with: one look at sysfs tells, as it would of a real one.
  const name = standInName(address);
  if (host.files.readText(`/sys/class/net/${name}/ifalias`)?.trim() === alias) return [name];
  using netlink = host.openNetlink();
  return netlink.listLinks().flatMap((link) => (link.alias === alias ? [link.name] : []));
}

/** Name that the stand-in of the device at `address` is made with: VF n of pf0 is pf0v<n>. */
export function standInName(address: string): string {
  const [device = 0, number = 0] = address
    .slice(-4)
    .split(".")
    .map((part) => Number.parseInt(part, 16));
  return device === 0 ? "pf0" : `pf0v${(device - 2) * 8 + number}`;
}

/** The PF's side of its VFs, as a file: every process of a test sees the same. */
function readVfs(root: string): readonly VfInfo[] {
  return JSON.parse(fs.readFileSync(join(root, "pf.json"), "utf8")) as readonly VfInfo[];
}

/** Starts the file with `count` VFs as a driver does. */
export function writeFreshVfs(root: string, count: number): void {
  const vfs = Array.from({ length: count }, (_, vf) => createFakeVf(vf, "00:00:00:00:00:00"));
  fs.writeFileSync(join(root, "pf.json"), JSON.stringify(vfs.map(({ hasAdminMac: _unused, ...vf }) => vf)));
}

/** A MAC that the stand-in PF's driver refuses, as one whose administrator has set another. */
export const refusedMac = "02:00:00:00:ba:d0";

function writeVf(root: string, vf: number, change: VfChange): void {
  if (change.set === "mac" && change.mac === refusedMac)
    throw new NetlinkError(`setting the MAC of pf0 vf ${vf}`, "EPERM");
  const { set, ...values } = change;
  const changed =
    set === "spoofchk" || set === "trust" || set === "linkState" ? { [set]: change.value } : values;
  const vfs = readVfs(root).map((info) => (info.vf === vf ? Object.assign({}, info, changed) : info));
  fs.writeFileSync(join(root, "pf.json.new"), JSON.stringify(vfs));
  fs.renameSync(join(root, "pf.json.new"), join(root, "pf.json"));
}
