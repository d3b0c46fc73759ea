// Channels and ring sizes of a VF's netdev: what a network asks for, checked against the driver, set, read back and put back.

import type { Channels, Ethtool, Rings, Sized } from "../host/netlink/ethtool.ts";
import type { Network } from "./network-config.ts";
import { LinkSizeError, VfReadBackError } from "./vf-errors.ts";

type Counts<Kinds> = { readonly [Kind in keyof Kinds]?: number | undefined };

/** Channels are queues with an interrupt of their own, rings are counted in descriptors; what is absent is left alone. */
export interface LinkSizes {
  readonly channels?: Counts<Channels> | undefined;
  readonly rings?: Counts<Rings> | undefined;
}

export interface LinkSizesPlan {
  /** The values now, of all that `after` sets. */
  readonly before: LinkSizes;
  readonly after: LinkSizes;
}

type Read = Pick<Ethtool, "getChannels" | "getRings">;

/**
 * What `network` makes of the link, and what was there; `undefined` when it asks for neither. Queues that share their channels
 * count as combined ones, where the driver has such. Throws ERR_LINK_SIZES with every problem.
 */
export function planLinkSizes(
  openEthtool: () => Read & Disposable,
  link: { readonly index: number; readonly name: string },
  { queues, rings }: Pick<Network, "queues" | "rings">,
): LinkSizesPlan | undefined {
  if (queues === undefined && rings === undefined) return undefined;
  using ethtool = openEthtool();
  const problems: string[] = [];
  const channels = queues === undefined ? {} : (ethtool.getChannels(link.index) ?? {});
  const kinds = channels.combined === undefined ? (["rx", "tx"] as const) : (["combined"] as const);
  const wantedChannels = Object.fromEntries(
    kinds.filter((kind) => channels[kind] !== undefined).map((kind) => [kind, queues]),
  );
  if (queues !== undefined && Object.keys(wantedChannels).length === 0)
    problems.push(`queues: expected nothing, the driver of ${link.name} has no channels to set`);
  const wantedRings = rings ?? {};
  const sizes = rings === undefined ? {} : (ethtool.getRings(link.index) ?? {});
  problems.push(
    ...findExcess("queues", link.name, channels, wantedChannels),
    ...findExcess("rings", link.name, sizes, wantedRings),
  );
  if (problems.length > 0) throw new LinkSizeError(problems);
  return {
    before: { channels: readNow(channels, wantedChannels), rings: readNow(sizes, wantedRings) },
    after: { channels: wantedChannels, rings: wantedRings },
  };
}

/** Sets what differs from `sizes` and reads it back: a driver may round. Throws ERR_VF_READ_BACK, NetlinkError. */
export function applyLinkSizes(
  ethtool: Ethtool,
  index: number,
  { channels = {}, rings = {} }: LinkSizes,
): void {
  apply(`channels of link ${index}`, channels, {
    read: () => ethtool.getChannels(index),
    set: (values) => ethtool.setChannels(index, values),
  });
  apply(`rings of link ${index}`, rings, {
    read: () => ethtool.getRings(index),
    set: (values) => ethtool.setRings(index, values),
  });
}

type Readings = Readonly<Record<string, Sized | undefined>>;
type Values = Readonly<Record<string, number | undefined>>;

function apply(
  what: string,
  wanted: Values,
  {
    read,
    set,
  }: {
    readonly read: () => object | undefined;
    readonly set: (values: Readonly<Record<string, number>>) => void;
  },
): void {
  const differing = (): Readonly<Record<string, number>> => {
    const now = (read() ?? {}) as Readings;
    const values = listValues(wanted).filter(([kind, value]) => now[kind]?.value !== value);
    return Object.fromEntries(values);
  };
  const changes = differing();
  if (Object.keys(changes).length === 0) return;
  set(changes);
  const left = differing();
  if (Object.keys(left).length === 0) return;
  throw new VfReadBackError(what, JSON.stringify(left), JSON.stringify(read()));
}

function findExcess(key: string, name: string, present: object, wanted: Values): readonly string[] {
  const readings = present as Readings;
  return listValues(wanted).flatMap(([kind, value]) => {
    const path = key === "rings" ? `rings.${kind}` : key;
    const max = readings[kind]?.max;
    if (max === undefined) return [`${path}: expected nothing, the driver of ${name} has none to set`];
    return value > max ? [`${path}: expected at most ${max} (the driver of ${name}), got ${value}`] : [];
  });
}

function readNow(present: object, wanted: Values): Values {
  const readings = present as Readings;
  return Object.fromEntries(listValues(wanted).map(([kind]) => [kind, readings[kind]?.value]));
}

function listValues(values: Values): readonly (readonly [string, number])[] {
  return Object.entries(values).flatMap(([kind, value]) =>
    value === undefined ? [] : [[kind, value] as const],
  );
}
