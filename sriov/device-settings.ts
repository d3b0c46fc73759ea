// What ethtool sets on a VF's netdev. A pod may, and the VF keeps it on its way home: read before a pod, and put back after it.

import { NetlinkError } from "../host/errors.ts";
import type { Ethtool, Sized } from "../host/netlink/ethtool.ts";
import { nameCoalescing } from "../host/netlink/ethtool-values.ts";
import type { QueueMasks } from "./attachment.ts";
import { findKept, type KeptSetting, listDiffering } from "./kept-settings.ts";

/** Of one netdev of one boot; absent where its driver has none. */
export interface DeviceSettings {
  readonly rings?: Readonly<Record<string, number>> | undefined;
  /** Words of the features that are wanted of it. */
  readonly features?: readonly number[] | undefined;
  /** By the number of its attribute. */
  readonly coalescing?: Readonly<Record<string, number>> | undefined;
}

/** As they are now; without what cannot be read, as where the kernel is too old, or the driver resets the device. */
export function readDeviceSettings(ethtool: Ethtool, index: number): DeviceSettings {
  return {
    rings: toValues(unlessUnread(() => ethtool.getRings(index))),
    features: unlessUnread(() => ethtool.getFeatures(index)?.wanted),
    coalescing: unlessUnread(() => ethtool.getCoalescing(index)),
  };
}

/**
 * Sets what differs from `original`, and gives what did not become as it was. What a driver does not take again is no reason to keep
 * a pod from ending.
 */
export function restoreDeviceSettings(
  ethtool: Ethtool,
  index: number,
  original: DeviceSettings,
): readonly KeptSetting[] {
  const now = readDeviceSettings(ethtool, index);
  const differing = [
    unlessRefused(findDifferent(now.rings, original.rings), (values) => ethtool.setRings(index, values)),
    unlessRefused(findDifferent(now.coalescing, original.coalescing), (values) =>
      ethtool.setCoalescing(index, values),
    ),
    unlessRefused(findOtherFeatures(now, original), (wanted) => ethtool.setFeatures(index, wanted)),
  ];
  return differing.includes(true) ? findKeptSettings(ethtool, index, original) : [];
}

// A driver may also say yes and do something else.
function findKeptSettings(
  ethtool: Ethtool,
  index: number,
  { rings = {}, coalescing = {}, features }: DeviceSettings,
): readonly KeptSetting[] {
  const now = readDeviceSettings(ethtool, index);
  const changeable = unlessUnread(() => ethtool.getFeatures(index)?.changeable) ?? [];
  const pick = (words: readonly number[]): string =>
    changeable.map((mask, at) => (((words[at] ?? 0) & mask) >>> 0).toString(16).padStart(8, "0")).join(" ");
  return [
    ...findKept(rings, now.rings ?? {}, (kind) => `${kind} ring`),
    ...findKept(coalescing, now.coalescing ?? {}, (key) => `coalescing ${nameCoalescing(key)}`),
    ...(features && now.features
      ? findKept({ features: pick(features) }, { features: pick(now.features) })
      : []),
  ];
}

type Queues = readonly Pick<QueueMasks, "queue">[];

/** Sets channels where the queues `now` are not as many as the `original` ones, which ADD notes anyway; else as `restoreDeviceSettings`. */
export function restoreChannels(
  ethtool: Ethtool,
  index: number,
  now: Queues,
  original: Queues,
): readonly KeptSetting[] {
  const [rx, tx] = [countQueues(original, "rx-"), countQueues(original, "tx-")];
  if (original.length === 0 || (rx === countQueues(now, "rx-") && tx === countQueues(now, "tx-"))) return [];
  const channels = unlessUnread(() => ethtool.getChannels(index));
  if (channels === undefined) return [];
  const isCombined = channels.combined !== undefined && rx === tx;
  const apart = isCombined ? { rx: 0, tx: 0 } : { rx, tx };
  const wanted = {
    ...(isCombined && { combined: rx }),
    ...(channels.rx && { rx: apart.rx }),
    ...(channels.tx && { tx: apart.tx }),
  };
  unlessRefused(wanted, (values) => ethtool.setChannels(index, values));
  const after = toValues(unlessUnread(() => ethtool.getChannels(index)));
  return findKept(wanted, after ?? {}, (kind) => `${kind} channels`);
}

function countQueues(queues: Queues, prefix: string): number {
  return queues.filter(({ queue }) => queue.startsWith(prefix)).length;
}

type Values = Readonly<Record<string, number>>;

function findDifferent(now: Values | undefined, original: Values | undefined): Values | undefined {
  if (now === undefined || original === undefined) return undefined;
  const different = listDiffering(original, now).map((key) => [key, original[key] ?? 0] as const);
  return different.length === 0 ? undefined : Object.fromEntries(different);
}

function findOtherFeatures(now: DeviceSettings, original: DeviceSettings): readonly number[] | undefined {
  const { features = [] } = original;
  const isOther = now.features !== undefined && features.join() !== now.features.join();
  return isOther && features.length > 0 ? features : undefined;
}

/** Whether there was anything to set. */
function unlessRefused<Wanted>(wanted: Wanted | undefined, set: (wanted: Wanted) => void): boolean {
  if (wanted === undefined) return false;
  try {
    set(wanted);
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
  }
  return true;
}

function toValues(sized: object | undefined): Values | undefined {
  return (
    sized &&
    Object.fromEntries(
      Object.entries(sized as Record<string, Sized>).map(([kind, { value }]) => [kind, value]),
    )
  );
}

function unlessUnread<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    return undefined;
  }
}
