// What ethtool sets on a VF's netdev. A pod may, and the VF keeps it on its way home: read before a pod, and put back after it.

import { NetlinkError } from "../host/errors.ts";
import type { Ethtool, Sized } from "../host/netlink/ethtool.ts";
import type { QueueMasks } from "./attachment.ts";

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
  const rings = unlessUnread(() => ethtool.getRings(index) as Readonly<Record<string, Sized>> | undefined);
  return {
    rings: rings && Object.fromEntries(Object.entries(rings).map(([kind, { value }]) => [kind, value])),
    features: unlessUnread(() => ethtool.getFeatures(index)?.wanted),
    coalescing: unlessUnread(() => ethtool.getCoalescing(index)),
  };
}

/**
 * Sets what differs from `original`. What a driver does not take again is no reason to keep a pod from ending: it stays as it is.
 */
export function restoreDeviceSettings(ethtool: Ethtool, index: number, original: DeviceSettings): void {
  const now = readDeviceSettings(ethtool, index);
  unlessRefused(findDifferent(now.rings, original.rings), (values) => ethtool.setRings(index, values));
  unlessRefused(findDifferent(now.coalescing, original.coalescing), (values) =>
    ethtool.setCoalescing(index, values),
  );
  const { features = [] } = original;
  const isDifferent = now.features !== undefined && features.join() !== now.features.join();
  unlessRefused(isDifferent && features.length > 0 ? features : undefined, (wanted) =>
    ethtool.setFeatures(index, wanted),
  );
}

type Queues = readonly Pick<QueueMasks, "queue">[];

/** Sets channels where the queues `now` are not as many as the `original` ones, which ADD notes anyway; else as `restoreDeviceSettings`. */
export function restoreChannels(ethtool: Ethtool, index: number, now: Queues, original: Queues): void {
  const [rx, tx] = [countQueues(original, "rx-"), countQueues(original, "tx-")];
  if (original.length === 0 || (rx === countQueues(now, "rx-") && tx === countQueues(now, "tx-"))) return;
  const channels = unlessUnread(() => ethtool.getChannels(index));
  if (channels === undefined) return;
  const isCombined = channels.combined !== undefined && rx === tx;
  const apart = isCombined ? { rx: 0, tx: 0 } : { rx, tx };
  unlessRefused(
    {
      ...(isCombined && { combined: rx }),
      ...(channels.rx && { rx: apart.rx }),
      ...(channels.tx && { tx: apart.tx }),
    },
    (values) => ethtool.setChannels(index, values),
  );
}

function countQueues(queues: Queues, prefix: string): number {
  return queues.filter(({ queue }) => queue.startsWith(prefix)).length;
}

type Values = Readonly<Record<string, number>>;

function findDifferent(now: Values | undefined, original: Values | undefined): Values | undefined {
  if (now === undefined || original === undefined) return undefined;
  const different = Object.entries(original).filter(([key, value]) => key in now && now[key] !== value);
  return different.length === 0 ? undefined : Object.fromEntries(different);
}

function unlessRefused<Wanted>(wanted: Wanted | undefined, set: (wanted: Wanted) => void): void {
  if (wanted === undefined) return;
  try {
    set(wanted);
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
  }
}

function unlessUnread<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    return undefined;
  }
}
