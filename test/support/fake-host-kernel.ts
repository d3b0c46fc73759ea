// The state of the fake node's network: namespaces, their links, and what each PF knows of its VFs.

import type {
  InterfaceAddress,
  LinkTraits,
  NetlinkEvent,
  Route,
  TrafficCounters,
  VfInfo,
  LinkXdp,
} from "../../host/netlink/netlink.ts";
import { createFakeSizes, type FakeSizes } from "./fake-host-ethtool.ts";
import type { FakeNic } from "./fake-host-nic.ts";

/** What the driver of a PF can do: igb as the emulated NIC has it, without rates while it has no link; ice a driver that takes every setting. */
export type FakeDriver = "igb" | "ice";

/** The PF's side of one VF, as the driver keeps it. `hasAdminMac`: set through the PF, so the VF may not choose its own without trust. */
export interface FakeVf extends Mutable<VfInfo> {
  hasAdminMac: boolean;
}

export interface FakeLink {
  index: number;
  name: string;
  altNames: string[];
  mac: string;
  readonly permanentMac: string;
  mtu: number;
  maxMtu: number;
  isUp: boolean;
  hasCarrier: boolean;
  isPromiscuous: boolean;
  isAllMulticast: boolean;
  alias: string | undefined;
  txQueueLength: number;
  traits: LinkTraits;
  /** `isHeld`: by a bpf_link. */
  xdp: readonly (LinkXdp & { readonly isHeld: boolean })[];
  hasTcx: boolean;
  kind: string | undefined;
  master: number | undefined;
  lower: number | undefined;
  /** PCI address of the device behind it. */
  readonly device: string | undefined;
  /** VFs of a PF, by number. */
  readonly vfs: FakeVf[];
  /** What went through it. */
  traffic: TrafficCounters;
  /** What the PF's driver counted, by VF number; the others are all 0. "unfit": too many VFs for one answer. */
  vfTraffic: ReadonlyMap<number, TrafficCounters> | "unfit";
  readonly driver: FakeDriver;
  readonly sizes: FakeSizes;
  /** The PF's side of this VF. */
  readonly pfSide: FakeVf | undefined;
  /** How long after "up" the carrier comes; undefined: never. */
  carrierAfterMs: number | undefined;
  addresses: InterfaceAddress[];
  /** Values set by their path below /proc/sys/net, without the link's name: "ipv4/arp_notify". They end with a move. */
  sysctls: Map<string, string>;
}

export interface FakeNetns {
  readonly label: string;
  readonly cookie: bigint;
  /** Root of this namespace's sysfs. */
  readonly sysfs: string;
  readonly links: Map<number, FakeLink>;
  routes: Route[];
  readonly listeners: Set<(event: NetlinkEvent) => void>;
  isGone: boolean;
}

export interface FakeFrame {
  readonly netns: string;
  readonly link: string;
  readonly bytes: Uint8Array;
}

export interface FakeKernel {
  readonly host: FakeNetns;
  /** Living namespaces by the path they are mounted at (/run/netns/x). */
  readonly mounted: Map<string, FakeNetns>;
  /** Open handles: descriptor -> namespace. */
  readonly handles: Map<number, FakeNetns>;
  readonly nics: FakeNic[];
  /** Devices whose function was reset, in order. */
  readonly resets: string[];
  nextIndex: number;
  nextFd: number;
  nextCookie: bigint;
  /** Moves between namespaces so far. */
  moves: number;
  /** Frames sent so far. */
  readonly frames: FakeFrame[];
}

export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Of a link that nobody has changed. */
export const freshTraits: LinkTraits = {
  hasArp: true,
  hasMulticast: true,
  broadcast: "ff:ff:ff:ff:ff:ff",
  linkMode: 0,
  group: 0,
  gsoMaxSegs: 65_535,
  gsoMaxSize: 65_536,
  groMaxSize: 65_536,
  gsoIpv4MaxSize: 65_536,
  groIpv4MaxSize: 65_536,
};

export const noTraffic: TrafficCounters = {
  rxBytes: 0,
  txBytes: 0,
  rxPackets: 0,
  txPackets: 0,
  rxDropped: 0,
  txDropped: 0,
};

/** A kernel with the host's namespace only. `sysfs` is the folder that shows as /sys there. */
export function createFakeKernel(sysfs: string): FakeKernel {
  return {
    host: createNetns("host", 1n, sysfs),
    mounted: new Map(),
    handles: new Map(),
    nics: [],
    resets: [],
    nextIndex: 2,
    nextFd: 100,
    nextCookie: 4096n,
    moves: 0,
    frames: [],
  };
}

/** A new, empty namespace; it is not mounted anywhere yet. */
export function createNetns(label: string, cookie: bigint, sysfs: string): FakeNetns {
  return { label, cookie, sysfs, links: new Map(), routes: [], listeners: new Set(), isGone: false };
}

/** Adds a link with defaults to the host's namespace. */
export function addLink(
  kernel: FakeKernel,
  link: Partial<FakeLink> & Pick<FakeLink, "name" | "mac">,
): FakeLink {
  const added: FakeLink = {
    index: kernel.nextIndex++,
    altNames: [],
    permanentMac: link.mac,
    mtu: 1500,
    maxMtu: 9216,
    isUp: false,
    hasCarrier: false,
    isPromiscuous: false,
    isAllMulticast: false,
    alias: undefined,
    txQueueLength: 1000,
    traits: freshTraits,
    xdp: [],
    hasTcx: false,
    kind: undefined,
    master: undefined,
    lower: undefined,
    device: undefined,
    vfs: [],
    traffic: noTraffic,
    vfTraffic: new Map(),
    driver: "igb",
    sizes: createFakeSizes(link.driver ?? "igb"),
    pfSide: undefined,
    carrierAfterMs: 0,
    addresses: [],
    sysctls: new Map(),
    ...link,
  };
  kernel.host.links.set(added.index, added);
  return added;
}

/** The PF's side of VF number `vf`, as a driver starts it. */
export function createFakeVf(vf: number, mac: string): FakeVf {
  return {
    vf,
    mac,
    vlan: 0,
    qos: 0,
    vlanProto: "802.1q",
    spoofchk: true,
    trust: false,
    linkState: "auto",
    minTxRateMbps: 0,
    maxTxRateMbps: 0,
    hasAdminMac: false,
  };
}

/** The link in `netns` that has `name` as its name or altname. */
export function findByName(netns: FakeNetns, name: string): FakeLink | undefined {
  return [...netns.links.values()].find((link) => link.name === name || link.altNames.includes(name));
}

/** Tells the readers of `netns`, after the call that caused it has returned. */
export function emit(netns: FakeNetns, event: NetlinkEvent): void {
  queueMicrotask(() => {
    for (const listener of netns.listeners) listener(event);
  });
}
