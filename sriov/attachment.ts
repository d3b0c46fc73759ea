// The record of an attached VF: what the programs tell each other about it. Its form on disk: attachment-format.ts.

import type { LinkTraits, VlanProto } from "../host/netlink/netlink.ts";
import type { DeviceSettings } from "./device-settings.ts";
import type { LinkSizes } from "./link-sizes.ts";
import type { NapiValues } from "./napi-values.ts";
import type { PciAddress } from "./pci-address.ts";

/** Who has the VF. `containerId` and `attachment` together are the owner token. */
export interface AttachmentOwner {
  readonly containerId: string;
  /** CNI_IFNAME of the call: `eth0` when chained. */
  readonly attachment: string;
  /** Name of the network configuration. */
  readonly network: string;
  /** Path of the network namespace, as CNI_NETNS gave it. */
  readonly netns: string;
  /** SO_NETNS_COOKIE of that namespace, decimal. */
  readonly cookie: string;
  readonly pod?: { readonly namespace: string; readonly name: string; readonly uid: string } | undefined;
}

/** The VF, and how to tell it from another VF at the same address. */
interface AttachedDevice {
  readonly address: PciAddress;
  readonly pf: PciAddress;
  /** VF index. */
  readonly vf: number;
  /** Inode of the PCI device directory, decimal: the identity. */
  readonly inode: string;
  /** Last known ifindex: a hint only. */
  readonly ifindex?: number | undefined;
}

/** Masks of one queue folder before we changed them, as the kernel printed them; absent where the file is. */
export interface QueueMasks {
  /** "rx-0", "tx-0". */
  readonly queue: string;
  readonly rpsCpus?: string | undefined;
  readonly rpsFlowCnt?: string | undefined;
  readonly xpsCpus?: string | undefined;
  /** A mask of receive queues; absent in records of releases that did not keep it. */
  readonly xpsRxqs?: string | undefined;
}

/** PF-side settings of a VF; absent where the driver does not report them. Rates in Mbit/s, 0 is no limit. */
export interface VfSideSettings {
  readonly adminMac?: string | undefined;
  readonly vlan?: number | undefined;
  readonly qos?: number | undefined;
  readonly vlanProto?: VlanProto | undefined;
  readonly spoofchk?: boolean | undefined;
  readonly trust?: boolean | undefined;
  readonly linkState?: "auto" | "enable" | "disable" | undefined;
  readonly minTxRateMbps?: number | undefined;
  readonly maxTxRateMbps?: number | undefined;
}

/** The VF as it was on the host: everything that ADD or tuning may change. Name, MAC and MTU are absent without a netdev. */
export interface VfOriginal extends VfSideSettings {
  readonly name?: string | undefined;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  readonly altNames: readonly string[];
  /** "" is none; absent in records of releases that did not keep it. */
  readonly alias?: string | undefined;
  readonly txQueueLength?: number | undefined;
  /** Absent without a netdev, and in records of releases that did not keep them. */
  readonly traits?: LinkTraits | undefined;
  readonly queues: readonly QueueMasks[];
  /** Channels and ring sizes; absent where ADD changed none. */
  readonly sizes?: LinkSizes | undefined;
  /** Absent without a netdev, and in records of releases that did not keep them. */
  readonly settings?: DeviceSettings | undefined;
  readonly napi?: NapiValues | undefined;
  /** The driver that ADD took the VF from, or DEL will for a reset, and its `driver_override`; absent where neither does. */
  readonly driver?: string | undefined;
  readonly driverOverride?: string | undefined;
}

/** What ADD set; absent is untouched. `addresses` in CIDR form. */
export interface AppliedSettings extends VfSideSettings {
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  /** The driver that the VF was given to, for a program that uses it without a netdev. */
  readonly driver?: string | undefined;
  readonly addresses: readonly string[];
  readonly routes: readonly AppliedRoute[];
}

/** A route of the VF. What makes one of several to a destination is absent where it was not asked for, or a release did not keep it. */
export interface AppliedRoute {
  readonly destination: string;
  readonly gateway?: string | undefined;
  readonly metric?: number | undefined;
  readonly table?: number | undefined;
  readonly mtu?: number | undefined;
  readonly advmss?: number | undefined;
}

/** What releases the addresses: the delegate's call, as ADD made it. */
export interface IpamLease {
  readonly type: string;
  /** The delegate's stdin, JSON text. */
  readonly config: string;
  /** CNI_PATH. */
  readonly path: string;
  /** CNI_IFNAME of the delegate's call. */
  readonly interface: string;
  /** CNI_ARGS. */
  readonly args: string;
}

/** What the pod or the network asks tuning for. */
export interface AskedTuning {
  readonly policy?: string | undefined;
  readonly rfs?: boolean | undefined;
  readonly threadedNapi?: boolean | undefined;
  readonly channelPerCpu?: boolean | undefined;
}

/** One VF in use. A record read from disk also carries the fields that this release does not know: spread it to change it. */
export interface Attachment {
  readonly format: string;
  readonly owner: AttachmentOwner;
  /** Name of the VF inside the pod. */
  readonly interface: string;
  readonly device: AttachedDevice;
  readonly bootId: string;
  readonly state: "adding" | "attached" | "releasing";
  /** ISO 8601. */
  readonly createdAt: string;
  readonly announce: "done" | "pending";
  readonly pickedBy: "kubelet" | "cni";
  readonly original: VfOriginal;
  readonly applied: AppliedSettings;
  readonly ipam?: IpamLease | undefined;
  readonly tuning?: AskedTuning | undefined;
  /** The VF is reset (FLR) when it is back from the pod. */
  readonly resetBetweenPods?: boolean | undefined;
  /** Name of the attachment's device-info file, which goes with the record. */
  readonly deviceInfoFile?: string | undefined;
}

/** Containers are told apart by this: DEL and GC match on it. */
export function ownerToken(owner: Pick<AttachmentOwner, "containerId" | "attachment">): string {
  return `${owner.containerId}/${owner.attachment}`;
}

/** False for a record of an earlier boot: its namespace, and the VF it means, are gone. */
export function isOfThisBoot(record: Pick<Attachment, "bootId">, bootId: string): boolean {
  return record.bootId === bootId;
}
