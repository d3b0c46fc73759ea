// What sriov-cni remembers of a pod that it started: its network configuration, and in it the VF as it was before.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import type { VfOriginal } from "../sriov/attachment.ts";
import { isPciAddress, type PciAddress } from "../sriov/pci-address.ts";
import type { CniCall } from "./environment.ts";
import { isOfThisBoot, markPath, readMark } from "./sriov-cni-mark.ts";

/** Of one attachment. `original` has what sriov-cni may have changed; `netns` is the namespace that it gave the VF to last. */
export interface SriovCniEntry {
  readonly address: PciAddress;
  readonly original: Omit<VfOriginal, "altNames" | "queues">;
  readonly netns: string | undefined;
  /** False for one from before the node was started: the VF that it means is gone. */
  readonly isOfThisBoot: boolean;
}

const text = v.optional(v.string());
const count = v.optional(v.number());
const flag = v.optional(v.boolean());
// Go's names, and its zero for what is not there. Source: sriov-cni pkg/types/types.go (2.7 to 2.10; Trust, VlanProto and MTU came later).
const schema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    deviceID: v.pipe(v.string(), v.toLowerCase(), v.check(isPciAddress)),
    trust: text,
    OrigVfState: v.object({
      HostIFName: text,
      EffectiveMAC: text,
      AdminMAC: text,
      MTU: count,
      Vlan: count,
      VlanQoS: count,
      VlanProto: count,
      SpoofChk: flag,
      Trust: flag,
      LinkState: count,
      MinTxRate: count,
      MaxTxRate: count,
    }),
  }),
);

type View = Pick<Host, "files" | "paths" | "clock">;

/** The entry; `undefined` when there is none, or none that tells which VF it is about. */
export function readSriovCniEntry(host: View, call: CniCall): SriovCniEntry | undefined {
  const path = entryPath(host, call);
  const parsed = v.safeParse(schema, host.files.readText(path));
  if (!parsed.success) return undefined;
  const { trust, OrigVfState: state } = parsed.output;
  const address = parsed.output.deviceID as PciAddress;
  return {
    address,
    original: {
      name: state.HostIFName || undefined,
      mac: state.EffectiveMAC || undefined,
      mtu: state.MTU || undefined,
      adminMac: state.AdminMAC || undefined,
      vlan: state.Vlan,
      qos: state.VlanQoS,
      vlanProto: state.VlanProto === 0x88a8 ? "802.1ad" : "802.1q",
      spoofchk: state.SpoofChk,
      // Older ones did not ask the driver, and put it to off.
      trust: state.Trust ?? (trust === undefined ? undefined : false),
      linkState: linkStates[state.LinkState ?? -1],
      minTxRateMbps: state.MinTxRate,
      maxTxRateMbps: state.MaxTxRate,
    },
    netns: readMark(host, address),
    isOfThisBoot: isOfThisBoot(host, path),
  };
}

/** Whether sriov-cni gave the VF to another pod since, which lives. */
export function isOthersByNow(
  host: Pick<Host, "namespaces">,
  call: CniCall,
  { netns }: Pick<SriovCniEntry, "netns">,
): boolean {
  if (netns === undefined || netns === call.netns) return false;
  using other = host.namespaces.open(netns);
  return other !== undefined;
}

/** Removes the entry, and the mark that keeps the VF for its pod. */
export function removeSriovCniEntry(
  host: View & Pick<Host, "namespaces">,
  call: CniCall,
  entry: SriovCniEntry,
): void {
  if (!isOthersByNow(host, call, entry)) host.files.remove(markPath(host, entry.address));
  host.files.remove(entryPath(host, call));
}

// Source: Linux include/uapi/linux/if_link.h, IFLA_VF_LINK_STATE_*.
const linkStates: readonly VfOriginal["linkState"][] = ["auto", "enable", "disable"];

function entryPath({ paths }: Pick<Host, "paths">, { containerId, ifName }: CniCall): string {
  return `${paths.sriovCni}/${containerId}-${ifName}`;
}
