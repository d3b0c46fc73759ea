// The verbs of rtnetlink that the programs use, as one interface: the kernel behind it in what ships, a stateful fake in tests.

import type { NetnsHandle } from "../netns.ts";

/** A network device as RTM_NEWLINK describes it (include/uapi/linux/if_link.h). */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly altNames: readonly string[];
  /** Lower-case, colon-separated; empty when the device has none. */
  readonly mac: string;
  /** What the device came with (IFLA_PERM_ADDRESS), where its driver tells. */
  readonly permanentMac: string | undefined;
  readonly mtu: number;
  readonly maxMtu: number | undefined;
  /** IFF_UP. */
  readonly isUp: boolean;
  /** IFLA_CARRIER. */
  readonly hasCarrier: boolean;
  readonly isPromiscuous: boolean;
  readonly isAllMulticast: boolean;
  /** Packets that wait to be sent at most (IFLA_TXQLEN). */
  readonly txQueueLength: number;
  readonly xdp: readonly LinkXdp[];
  /** IFLA_INFO_KIND: "veth", "vlan", "bond", "bridge", ...; undefined for hardware. */
  readonly kind: string | undefined;
  /** ifindex of the master (bond, bridge). */
  readonly master: number | undefined;
  /** ifindex of the lower device (IFLA_LINK of a vlan, macvlan; the peer of a veth) where that is in this namespace. */
  readonly lower: number | undefined;
  /** IFLA_PARENT_DEV_NAME: the PCI address of a PCI NIC (virtio: "virtioN"). */
  readonly parentDevice: string | undefined;
  readonly alias: string | undefined;
  readonly traits: LinkTraits;
}

/** How a link resolves addresses and cuts packets; of older kernels some sizes are absent. */
export interface LinkTraits {
  /** Not IFF_NOARP. */
  readonly hasArp: boolean;
  /** IFF_MULTICAST. */
  readonly hasMulticast: boolean;
  /** Where broadcasts go (IFLA_BROADCAST); empty when the device has none. */
  readonly broadcast: string;
  /** IFLA_LINKMODE: 1, dormant, keeps it from being operational with a carrier. */
  readonly linkMode: number;
  /** IFLA_GROUP: what firewalls may tell links apart by. */
  readonly group: number;
  readonly gsoMaxSegs?: number | undefined;
  /** Sets `gsoIpv4MaxSize`, too, up to 65536. */
  readonly gsoMaxSize?: number | undefined;
  /** Sets `groIpv4MaxSize`, too, up to 65536. */
  readonly groMaxSize?: number | undefined;
  readonly gsoIpv4MaxSize?: number | undefined;
  readonly groIpv4MaxSize?: number | undefined;
}

/** One trait to set. */
export type LinkTraitChange = {
  readonly [Trait in keyof LinkTraits]-?: {
    readonly set: "trait";
    readonly trait: Trait;
    readonly value: Exclude<LinkTraits[Trait], undefined>;
  };
}[keyof LinkTraits];

/** Where an XDP program is attached: in the driver, in the kernel in front of it (generic), in the card. */
export type XdpMode = "drv" | "skb" | "hw";

/** An XDP program on a link, by its id. */
export interface LinkXdp {
  readonly mode: XdpMode;
  readonly program: number;
}

/** Names one link: an ifindex or a name (an altname works too). */
export type LinkRef = { readonly index: number } | { readonly name: string };

/** One attribute of a link to set; one netlink message each. */
export type LinkChange =
  | LinkTraitChange
  | { readonly set: "up"; readonly value: boolean }
  | { readonly set: "name"; readonly value: string }
  | { readonly set: "mac"; readonly value: string }
  | { readonly set: "mtu"; readonly value: number }
  | { readonly set: "promiscuous"; readonly value: boolean }
  | { readonly set: "allMulticast"; readonly value: boolean }
  | { readonly set: "alias"; readonly value: string }
  | { readonly set: "txQueueLength"; readonly value: number }
  /** Takes the XDP program of this mode off; EBUSY when a bpf_link holds it. */
  | { readonly set: "withoutXdp"; readonly value: XdpMode };

/** 802.1Q, or 802.1ad, as IFLA_VF_VLAN_INFO has it. */
export type VlanProto = "802.1q" | "802.1ad";

/** PF-side settings of one VF as IFLA_VFINFO_LIST reports them; `undefined` where the driver does not report. Rates in Mbit/s, 0 = no limit. */
export interface VfInfo {
  readonly vf: number;
  readonly mac: string;
  readonly vlan: number;
  readonly qos: number;
  readonly vlanProto: VlanProto;
  readonly spoofchk: boolean | undefined;
  readonly trust: boolean | undefined;
  readonly linkState: "auto" | "enable" | "disable" | undefined;
  readonly minTxRateMbps: number | undefined;
  readonly maxTxRateMbps: number | undefined;
}

/** One VF as its PF reports it, and that PF in the namespace that was asked. */
export interface VfOfPf {
  readonly pfIndex: number;
  readonly pfName: string;
  readonly info: VfInfo;
}

/** What went through a link so far, as seen from the link: `rx` it received. `dropped` as /proc/net/dev has it. */
export interface TrafficCounters {
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxDropped: number;
  readonly txDropped: number;
}

/** One PF-side setting of a VF; one message each, because the kernel does not roll back (do_setvfinfo). */
export type VfChange =
  | { readonly set: "mac"; readonly mac: string }
  | { readonly set: "vlan"; readonly vlan: number; readonly qos: number; readonly vlanProto: VlanProto }
  | { readonly set: "rate"; readonly minTxRateMbps: number; readonly maxTxRateMbps: number }
  | { readonly set: "spoofchk"; readonly value: boolean }
  | { readonly set: "trust"; readonly value: boolean }
  | { readonly set: "linkState"; readonly value: "auto" | "enable" | "disable" };

/** An address of a link: `address` without prefix length, in canonical text form. */
export interface InterfaceAddress {
  readonly index: number;
  readonly family: 4 | 6;
  readonly address: string;
  readonly prefixLength: number;
  readonly scope: "global" | "site" | "link" | "host" | "nowhere";
  readonly isTentative: boolean;
}

/** What to add. `isOptimistic`: an IPv6 address that is used while it is looked for duplicates, where the link's sysctl allows it. */
export type NewAddress = Pick<InterfaceAddress, "family" | "address" | "prefixLength"> & {
  readonly isOptimistic?: boolean;
};

/** A unicast route. `destination` in CIDR form, "0.0.0.0/0" and "::/0" for the default; table 254 is main. */
export interface Route {
  readonly family: 4 | 6;
  readonly destination: string;
  readonly gateway: string | undefined;
  readonly index: number | undefined;
  readonly table: number;
  readonly metric: number | undefined;
  readonly mtu: number | undefined;
  readonly advmss: number | undefined;
  readonly scope: "global" | "site" | "link" | "host" | "nowhere";
  readonly isOnlink: boolean;
  /** RTPROT_* number: 2 kernel, 3 boot, 4 static. */
  readonly protocol: number;
}

/** What to add: of a route only these matter, the rest has kernel defaults (table main, protocol static). */
export type NewRoute = Pick<Route, "family" | "destination" | "gateway" | "index"> &
  Partial<Pick<Route, "table" | "metric" | "mtu" | "advmss" | "scope" | "isOnlink">>;

/** Something changed; the reader looks again. `overrun`: events were lost (ENOBUFS), rescan everything. */
export type NetlinkEvent =
  | { readonly event: "link"; readonly link: Link }
  | { readonly event: "linkGone"; readonly index: number; readonly name: string }
  | { readonly event: "address" | "overrun" };

/**
 * A netlink handle that belongs to one network namespace for its whole life. Calls are synchronous: the kernel does the
 * work inside send(). Every failure is a NetlinkError naming what was being done, on what, errno and the kernel's text.
 */
export interface Netlink extends Disposable {
  listLinks(): readonly Link[];
  /** `undefined` when there is no such link. */
  getLink(ref: LinkRef): Link | undefined;
  setLink(index: number, change: LinkChange): void;
  /**
   * Moves a link by ifindex; it keeps its present name, which must be free in the target. With `name` it is there under that one,
   * by the same request: where only `name` is taken, that is EEXIST too, after the move.
   */
  moveLink(index: number, target: NetnsHandle, name?: string): void;
  addAltName(index: number, altName: string): void;
  removeAltName(index: number, altName: string): void;
  /** Removes a virtual link (a VLAN left on a VF by a pod). */
  deleteLink(index: number): void;
  /** Without statistics, so that 256 VFs fit (RTEXT_FILTER_SKIP_STATS). Empty when the PF has none. */
  listVfs(pfIndex: number): readonly VfInfo[];
  /** One of them with its PF, by one request; `undefined` when there is no such link, or it reports no such VF. */
  getVf(pf: LinkRef, vf: number): VfOfPf | undefined;
  setVf(pfIndex: number, vf: number, change: VfChange): void;
  /**
   * What the PF's driver counted for each VF, by VF number; all 0 where it does not count. `undefined` when the list does not
   * fit into the kernel's answer (some 222 VFs and more).
   */
  listVfCounters(pf: LinkRef): ReadonlyMap<number, TrafficCounters> | undefined;
  listAddresses(index?: number): readonly InterfaceAddress[];
  addAddress(index: number, address: NewAddress): void;
  removeAddress(index: number, address: Pick<InterfaceAddress, "family" | "address" | "prefixLength">): void;
  /** Unicast routes of all tables except local. */
  listRoutes(index?: number): readonly Route[];
  addRoute(route: NewRoute): void;
  removeRoute(route: NewRoute): void;
  /** Link and address events of this namespace until disposed. */
  subscribe(onEvent: (event: NetlinkEvent) => void): Disposable;
}
