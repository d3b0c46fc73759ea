// Channels follow from the queues that there were; what a driver refuses stays.

import { expect, test } from "vitest";

import { NetlinkError } from "../../../host/errors.ts";
import type { Channels, Ethtool } from "../../../host/netlink/ethtool.ts";
import {
  readDeviceSettings,
  restoreChannels,
  restoreDeviceSettings,
} from "../../../sriov/device-settings.ts";

const one = { value: 1, max: 8 };
const none = { value: 0, max: 8 };

/** Refuses everything that is set, and tells it. */
function refusing(channels: Channels | undefined, errno = "EINVAL"): { ethtool: Ethtool; asked: unknown[] } {
  const asked: unknown[] = [];
  const refuse = (_index: number, values: unknown): void => {
    asked.push(values);
    throw new NetlinkError("setting", errno);
  };
  const ethtool: Ethtool = {
    getChannels: () => channels,
    setChannels: refuse,
    getRings: () => ({ rx: { value: 64, max: 512 } }),
    setRings: refuse,
    getFeatures: () => ({ wanted: [1, 0], changeable: [3, 0] }),
    setFeatures: refuse,
    getCoalescing: () => ({ 2: 50, 11: 1 }),
    setCoalescing: refuse,
    [Symbol.dispose]: () => undefined,
  };
  return { ethtool, asked };
}

function number(prefix: string, count: number): { queue: string }[] {
  return Array.from({ length: count }, (_, at) => ({ queue: `${prefix}-${at}` }));
}

function queues(rx: number, tx: number): { queue: string }[] {
  return [...number("rx", rx), ...number("tx", tx)];
}

test.each([
  ["as many as there were", { combined: one }, queues(1, 1), queues(1, 1), []],
  ["combined ones", { combined: one }, queues(1, 1), queues(4, 4), [{ combined: 4 }]],
  [
    "of a driver with all kinds",
    { combined: none, rx: one, tx: one },
    queues(1, 1),
    queues(4, 4),
    [{ combined: 4, rx: 0, tx: 0 }],
  ],
  ["of each direction", { rx: one, tx: one }, queues(1, 1), queues(3, 2), [{ rx: 3, tx: 2 }]],
  ["of a driver without channels", undefined, queues(1, 1), queues(2, 2), []],
  ["not noted", { combined: one }, queues(1, 1), [], []],
])("channels %s", (_name, channels, now, original, expected) => {
  const { ethtool, asked } = refusing(channels);
  const kept = restoreChannels(ethtool, 5, now, original);
  expect(asked).toEqual(expected);
  expect(kept.length).toBeGreaterThanOrEqual(expected.length);
});

test("a feature that cannot be changed any more is none that a driver refused", () => {
  const { ethtool } = refusing(undefined);
  const mended = { ...ethtool, setFeatures: () => undefined };
  expect(restoreDeviceSettings(mended, 5, { features: [5, 0] })).toEqual([]);
});

test("what differs is set, each part by itself, and what is refused keeps no pod from ending", () => {
  const { ethtool, asked } = refusing(undefined);
  const original = { rings: { rx: 256, tx: 256 }, features: [3, 0], coalescing: { 2: 50, 11: 0 } };
  expect(restoreDeviceSettings(ethtool, 5, original)).toEqual([
    { setting: "rx ring", expected: "256", got: "64" },
    { setting: "coalescing adaptive-rx", expected: "0", got: "1" },
    { setting: "features", expected: "00000003 00000000", got: "00000001 00000000" },
  ]);
  expect(asked).toEqual([{ rx: 256 }, { 11: 0 }, [3, 0]]);
  expect(restoreDeviceSettings(ethtool, 5, {})).toEqual([]);
  expect(asked).toHaveLength(3);
});

// ENOENT: a kernel before 5.6 has no such family; ENODEV: the driver is resetting the device.
test.each(["ENOENT", "ENODEV", "EBUSY"])(
  "what cannot be read (%s) is neither noted nor put back",
  (errno) => {
    const { ethtool, asked } = refusing({ combined: one }, errno);
    const fail = (): never => {
      throw new NetlinkError("getting", errno);
    };
    const mute = { ...ethtool, getChannels: fail, getRings: fail, getFeatures: fail, getCoalescing: fail };
    expect(readDeviceSettings(mute, 5)).toEqual({});
    const original = { rings: { rx: 256 }, features: [3, 0], coalescing: { 11: 0 } };
    restoreDeviceSettings(mute, 5, original);
    restoreChannels(mute, 5, queues(1, 1), queues(2, 2));
    expect(asked).toEqual([]);
    restoreDeviceSettings(ethtool, 5, original);
    expect(asked).toHaveLength(3);
  },
);
