// What the log says of a look at the node: each difference once, one line for all that it is the same for.

import { pino } from "pino";
import { expect, test } from "vitest";

import { logChanges } from "../../../deviceplugin/change-log.ts";
import type { DeviceTree, OfferedDevice } from "../../../deviceplugin/device-tree.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { parseResourceConfig } from "../../../sriov/resource-config.ts";
import { anyDevice } from "../../../sriov/selector-config.ts";

const [a, b, c] = [0, 1, 2].map((vf) => parsePciAddress(`0000:3b:02.${vf}`)) as [never, never, never];
const [pool] = parseResourceConfig("resourceList: [{resourceName: vf}]", { path: "", prefix: "sriov" });

function offer(address: never, problem?: OfferedDevice["problem"]): OfferedDevice {
  return {
    address,
    pf: parsePciAddress("0000:3b:00.0"),
    index: 0,
    driver: "igbvf",
    numaNode: 0,
    inode: 1n,
    selector: anyDevice,
    owner: undefined,
    problem,
  };
}

function treeOf(devices: readonly OfferedDevice[], more: Partial<DeviceTree> = {}): DeviceTree {
  if (pool === undefined) throw new Error("there is no resource");
  const list = new Map(devices.map((device) => [device.address, device]));
  const resources = new Map([[pool.name, { pool, devices: list }]]);
  return { resources, leftOut: new Map(), clashes: new Map(), ...more };
}

function linesOf(before: DeviceTree | undefined, after: DeviceTree): readonly unknown[] {
  const lines: unknown[] = [];
  const write = (line: string): void => {
    const { level: _level, ...rest } = JSON.parse(line) as Record<string, unknown>;
    lines.push(rest);
  };
  logChanges(pino({ base: null, timestamp: false }, { write }), before, after);
  return lines;
}

const link = { code: "link", reason: "the PF ens1f0 has no link" } as const;
const good = treeOf([offer(a), offer(b)]);
const bad = treeOf([offer(a, link), offer(b, link)]);

test("a PF without link is one line with all its VFs, and so is its return", () => {
  expect(linesOf(good, bad)).toEqual([
    { resource: "sriov/vf", pciAddresses: [a, b], ...link, msg: "devices are unhealthy" },
  ]);
  expect(linesOf(bad, good)).toEqual([
    { resource: "sriov/vf", pciAddresses: [a, b], msg: "devices are healthy again" },
  ]);
});

test("what stays as it was is not told again", () => {
  const leftOut = new Map([[c, { code: "no-driver", reason: "no driver" } as const]]);
  const tree = treeOf([offer(a, link)], { leftOut, clashes: new Map([[a, ["sriov/vf", "sriov/b"]]]) });
  expect(linesOf(tree, tree)).toEqual([]);
});

test("devices that come and go, that are left out, and that several resources select", () => {
  const leftOut = new Map([[c, { code: "no-driver", reason: "no driver" } as const]]);
  const after = treeOf([offer(b)], { leftOut, clashes: new Map([[b, ["sriov/vf", "sriov/b"]]]) });
  expect(linesOf(treeOf([offer(a)]), after)).toEqual([
    { resource: "sriov/vf", added: [b], changed: [], removed: [a], msg: "devices changed" },
    { pciAddress: c, reason: "no driver", msg: "device left out" },
    {
      pciAddress: b,
      resources: ["sriov/vf", "sriov/b"],
      msg: "several resources select the device, the first has it",
    },
  ]);
});
