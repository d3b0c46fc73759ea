// DEL of a pod that sriov-cni started, before virtfn took its place: the VF is put back as sriov-cni found it.

import type { Host } from "../host/host.ts";
import type { Link } from "../host/netlink/netlink.ts";
import type { NetnsHandle } from "../host/netns.ts";
import type { VfSideSettings } from "../sriov/attachment.ts";
import { listAttached } from "../sriov/attachment-store.ts";
import { isNetworkVf, readVf, type VirtualFunction } from "../sriov/inventory.ts";
import { awaitPfSide } from "../sriov/pf-side.ts";
import { dyingNetnsMs, findHomeLink, findLinkInside, waitForLinks } from "../sriov/vf-locate.ts";
import { restoreVf } from "../sriov/vf-restore.ts";
import { toVfSide } from "../sriov/vf-settings.ts";
import type { CniCall } from "./environment.ts";
import { isOthersByNow, type SriovCniEntry } from "./sriov-cni-entry.ts";

/**
 * Brings the VF from `netns` (undefined: it is gone) and puts back what differs from the entry. Left alone is a VF that somebody
 * else has by now, and one of another boot. The caller holds the VF's lock. Throws as `restoreVf` does.
 */
export async function releaseSriovCni(
  host: Host,
  call: CniCall,
  entry: SriovCniEntry,
  netns: NetnsHandle | undefined,
): Promise<void> {
  const vf = readVf(host, entry.address);
  if (vf === undefined || listAttached(host).includes(entry.address)) return;
  if (netns === undefined && !entry.isOfThisBoot) return;
  if (isOthersByNow(host, call, entry)) return;
  const device = { address: vf.address, pf: vf.pf, vf: vf.index, inode: String(vf.inode) };
  const settings = { ...entry.original, ...(await onlyReported(host, vf, entry)) };
  const original = { ...settings, altNames: await findAltNames(host, vf, netns), queues: [] };
  await restoreVf(host, { device, original, bootId: host.clock.bootId() }, netns);
}

// sriov-cni writes zero for what a driver does not report, and nothing else can be set there.
async function onlyReported(
  host: Pick<Host, "files" | "paths" | "clock" | "openNetlink">,
  vf: VirtualFunction,
  { original }: SriovCniEntry,
): Promise<VfSideSettings> {
  using home = host.openNetlink();
  const side = await awaitPfSide(host, home, { pf: vf.pf, vf: vf.index });
  const now = side === undefined ? {} : toVfSide(side.info);
  const pick = <Key extends keyof VfSideSettings>(key: Key): VfSideSettings[Key] =>
    now[key] === undefined ? undefined : original[key];
  return {
    adminMac: pick("adminMac"),
    vlan: pick("vlan"),
    qos: pick("qos"),
    vlanProto: pick("vlanProto"),
    spoofchk: pick("spoofchk"),
    trust: pick("trust"),
    linkState: pick("linkState"),
    minTxRateMbps: pick("minTxRateMbps"),
    maxTxRateMbps: pick("maxTxRateMbps"),
  };
}

// It changes none of them: those that are there are the host's. A link that the kernel is still bringing back is waited for.
async function findAltNames(
  host: Host,
  vf: VirtualFunction,
  netns: NetnsHandle | undefined,
): Promise<readonly string[]> {
  if (!isNetworkVf(vf)) return [];
  using home = host.openNetlink();
  using inside = netns === undefined ? undefined : host.openNetlink(netns);
  const look = (): Link | undefined => findHomeLink(host, home, vf.address);
  const link = netns && inside && findLinkInside(host, inside, netns, vf.address);
  return (link ?? (await waitForLinks(host, home, dyingNetnsMs, look)))?.altNames ?? [];
}
