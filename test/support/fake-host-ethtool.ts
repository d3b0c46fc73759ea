// The fake node's ethtool: channels and rings of its links, as drivers have them.

import { NetlinkError } from "../../host/errors.ts";
import type { Channels, Ethtool, Rings, Sized } from "../../host/netlink/ethtool.ts";
import type { FakeLink, FakeNetns } from "./fake-host-kernel.ts";

/** What a link can have: igb's VFs have rings only, ice's have both. */
export interface FakeSizes {
  readonly channels: Record<string, Sized>;
  readonly rings: Record<string, Sized>;
  features: readonly number[];
  readonly coalescing: Record<string, number>;
}

export function createFakeSizes(driver: FakeLink["driver"]): FakeSizes {
  const ring = { value: 256, max: 4096 };
  return {
    channels: driver === "ice" ? { combined: { value: 4, max: 16 } } : {},
    rings: { rx: ring, tx: ring },
    features: [0xf000_0001, 1],
    coalescing: driver === "ice" ? { 2: 50, 11: 1 } : {},
  };
}

/** Refuses what the kernel refuses, with its errno. */
export function openFakeEthtool(netns: FakeNetns): Ethtool {
  const find = (index: number): FakeLink => {
    const link = netns.links.get(index);
    if (link === undefined) throw new NetlinkError(`ethtool of link ${index} in ${netns.label}`, "ENODEV");
    return link;
  };
  const set = (what: "channels" | "rings", index: number, values: object): void => {
    const sizes = find(index).sizes[what];
    for (const [kind, value] of Object.entries(values) as [string, number][]) {
      const now = sizes[kind];
      const doing = `set ${what} of link ${index} to ${kind} ${value}`;
      if (now === undefined) throw new NetlinkError(doing, "EOPNOTSUPP");
      if (value > now.max) throw new NetlinkError(doing, "EINVAL");
      sizes[kind] = { ...now, value };
    }
  };
  return {
    getChannels: (index) => read(find(index).sizes.channels),
    setChannels: (index, values) => set("channels", index, values),
    getRings: (index) => read(find(index).sizes.rings),
    setRings: (index, values) => set("rings", index, values),
    getFeatures: (index) => ({ wanted: find(index).sizes.features, changeable: [0xffff_ffff, 1] }),
    setFeatures: (index, wanted) => void (find(index).sizes.features = wanted),
    getCoalescing: (index) => {
      const { coalescing } = find(index).sizes;
      return Object.keys(coalescing).length === 0 ? undefined : { ...coalescing };
    },
    setCoalescing: (index, values) => void Object.assign(find(index).sizes.coalescing, values),
    [Symbol.dispose]: () => undefined,
  };
}

// A driver that has none of a kind does not know the command.
function read(sizes: Readonly<Record<string, Sized>>): (Channels & Rings) | undefined {
  return Object.keys(sizes).length === 0 ? undefined : { ...sizes };
}

/** " rings rx 512", only of what differs from how the driver starts. */
export function formatSizes({ driver, sizes }: FakeLink): string {
  const fresh = createFakeSizes(driver);
  const words = (["channels", "rings"] as const).flatMap((what) =>
    Object.entries(sizes[what])
      .filter(([kind, { value }]) => value !== fresh[what][kind]?.value)
      .map(([kind, { value }]) => `${what} ${kind} ${value}`),
  );
  for (const [key, value] of Object.entries(sizes.coalescing))
    if (value !== fresh.coalescing[key]) words.push(`coalescing ${key} ${value}`);
  if (sizes.features.join() !== fresh.features.join()) words.push(`features ${sizes.features.join()}`);
  return words.map((word) => ` ${word}`).join("");
}
