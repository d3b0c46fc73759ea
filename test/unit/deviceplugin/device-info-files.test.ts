// Device-info files over time: written at Allocate and at the start, removed when the kubelet has the device back.
import { pino } from "pino";
import { expect, test } from "vitest";

import { DeviceInfoFiles } from "../../../deviceplugin/device-info-files.ts";
import type { DeviceTree } from "../../../deviceplugin/device-tree.ts";
import { scanDevices } from "../../../deviceplugin/scanner.ts";
import { type PciAddress, parsePciAddress } from "../../../sriov/pci-address.ts";
import { defaultResources } from "../../../sriov/resource-config.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const resource = "sriov/vf";
const [first, second] = ["0000:3b:02.0", "0000:3b:02.1"].map(parsePciAddress) as [PciAddress, PciAddress];
const log = pino({ enabled: false });

function look(node: FakeHost): DeviceTree {
  return scanDevices(node.host, defaultResources("sriov"), new Map());
}

function give(node: FakeHost, files: DeviceInfoFiles, id: PciAddress): void {
  const device = look(node).resources.get(resource)?.devices.get(id);
  if (device === undefined) throw new Error(`${id} is not offered`);
  files.give(resource, [device]);
}

function list(node: FakeHost): readonly string[] {
  return node.host.files.list(node.host.paths.deviceInfo) ?? [];
}

function nameOf(id: PciAddress): string {
  return `sriov-vf-${id}-device.json`;
}

test("a file is there from Allocate on, before the kubelet has written its checkpoint, and while it has the device", async () => {
  using node = createFakeHost();
  const files = new DeviceInfoFiles(node.host, log);
  node.allocate("uid-other", { app: [second] });
  give(node, files, first);
  files.follow(look(node));
  expect(list(node)).toEqual([nameOf(first), nameOf(second)]);
  node.allocate("uid-web-1", { app: [first] });
  await node.host.clock.sleep(61_000);
  files.follow(look(node));
  expect(list(node)).toEqual([nameOf(first), nameOf(second)]);
});

test("a device that never came into the checkpoint loses its file after a minute", async () => {
  using node = createFakeHost();
  const files = new DeviceInfoFiles(node.host, log);
  node.allocate("uid-other", { app: [second] });
  give(node, files, first);
  await node.host.clock.sleep(61_000);
  files.follow(look(node));
  expect(list(node)).toEqual([nameOf(second)]);
});

test("a start writes the files of devices in use anew, and removes those of free ones, but no one else's", () => {
  using node = createFakeHost();
  const { files, paths } = node.host;
  for (const name of [nameOf(first), nameOf(second), `other.io-x-${second}-device.json`])
    files.writeAtomic(`${paths.deviceInfo}/${name}`, "{}");
  node.allocate("uid-web-1", { app: [first] });
  new DeviceInfoFiles(node.host, log).follow(look(node));
  expect(list(node)).toEqual([`other.io-x-${second}-device.json`, nameOf(first)]);
  expect(files.readText(`${paths.deviceInfo}/${nameOf(first)}`)).toContain('"pf-pci-address":"0000:3b:00.0"');
});

test("a checkpoint that cannot be read keeps every file", () => {
  using node = createFakeHost();
  const { files, paths } = node.host;
  files.writeAtomic(`${paths.deviceInfo}/${nameOf(second)}`, "{}");
  files.writeAtomic(paths.kubelet.checkpoint, "no checkpoint");
  new DeviceInfoFiles(node.host, log).follow(look(node));
  expect(list(node)).toEqual([nameOf(second)]);
});

test("a folder that cannot be written fails no allocation, and is told once", () => {
  using node = createFakeHost();
  node.host.files.writeAtomic(node.host.paths.deviceInfo.replace(/\/devinfo\/dp$/, ""), "a file in the way");
  const lines: string[] = [];
  const loud = pino({}, { write: (line: string) => void lines.push(line) });
  const files = new DeviceInfoFiles(node.host, loud);
  for (const id of [first, first]) give(node, files, id);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("cannot keep the device-info files");
});
