// The difference between two scans.
import { expect, test } from "vitest";

import { diffDevices, isEmptyDiff } from "../../../deviceplugin/device-diff.ts";
import type { DeviceList, OfferedDevice } from "../../../deviceplugin/device-tree.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { anyDevice } from "../../../sriov/selector-config.ts";

const a = device("0000:01:10.0");
const b = device("0000:01:10.2");
const c = device("0000:01:10.4");

test.each<[string, DeviceList, DeviceList, string]>([
  ["nothing happened", list(a, b), list(a, b), "+ ~ -"],
  ["the first devices", list(), list(a, b), "+0000:01:10.0,0000:01:10.2 ~ -"],
  ["all gone", list(a, b), list(), "+ ~ -0000:01:10.0,0000:01:10.2"],
  ["one came, one went", list(a, b), list(b, c), "+0000:01:10.4 ~ -0000:01:10.0"],
  ["another driver", list(a), list({ ...a, driver: "iavf" }), "+ ~0000:01:10.0 -"],
  ["another NUMA node", list(a), list({ ...a, numaNode: undefined }), "+ ~0000:01:10.0 -"],
  ["made anew at the same address", list(a), list({ ...a, inode: 8n }), "+ ~0000:01:10.0 -"],
])("%s", (_name, before, after, expected) => {
  const diff = diffDevices(before, after);
  expect(`+${diff.added.join()} ~${diff.changed.join()} -${diff.removed.join()}`).toBe(expected);
  expect(isEmptyDiff(diff)).toBe(expected === "+ ~ -");
});

function device(address: string): OfferedDevice {
  return {
    address: parsePciAddress(address),
    pf: parsePciAddress("0000:01:00.0"),
    driver: "igbvf",
    numaNode: 0,
    inode: 7n,
    selector: anyDevice,
    index: 0,
    owner: undefined,
    problem: undefined,
  };
}

function list(...devices: readonly OfferedDevice[]): DeviceList {
  return new Map(devices.map((one) => [one.address, one]));
}
