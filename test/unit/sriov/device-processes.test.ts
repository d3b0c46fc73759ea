// Which process has a VF open that its driver hands out; what cannot be seen counts as one.

import * as fs from "node:fs";
import { dirname, join } from "node:path";

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { findOpenDevice } from "../../../sriov/device-processes.ts";
import { pciFolder } from "../../../sriov/pci-device.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { createUserspaceNode } from "../../support/userspace-node.ts";

const vf = { address: parsePciAddress("0000:3b:02.1"), iommuGroup: 12 };

function open(node: FakeHost, pid: number, ...targets: readonly string[]): void {
  const folder = join(node.host.paths.proc, String(pid), "fd");
  fs.mkdirSync(folder, { recursive: true });
  for (const [fd, target] of targets.entries()) fs.symlinkSync(target, join(folder, String(fd)));
}

const device = "anon_inode:[vfio-device]";

test.each<[string, readonly string[], string | undefined]>([
  ["nothing of it", ["/dev/null", "pipe:[12]", "/dev/vfio/vfio", "/dev/vfio/121", "/dev/uio1"], undefined],
  ["its group", ["/dev/null", "/dev/vfio/12"], "process 7 has /dev/vfio/12 open"],
  ["its group without an IOMMU", ["/dev/vfio/noiommu-12"], "process 7 has /dev/vfio/noiommu-12 open"],
  ["its own node", ["/dev/vfio/devices/vfio3"], "process 7 has /dev/vfio/devices/vfio3 open"],
  ["its node of uio", ["/dev/uio0"], "process 7 has /dev/uio0 open"],
  [
    "a device of a group that is not open",
    [device],
    "process 7 has a device of vfio open, and which cannot be told",
  ],
  ["a device of another group", [device, "/dev/vfio/13"], undefined],
])("a process that has %s", (_, targets, answer) => {
  using node = createUserspaceNode([1]);
  const folder = pciFolder(node.host, vf.address);
  for (const name of ["vfio-dev/vfio3", "uio/uio0"]) fs.mkdirSync(join(folder, name), { recursive: true });
  open(node, 7, ...targets);
  expect(findOpenDevice(node.host, vf)).toBe(answer);
});

test("a process that has the VF's registers open by way of sysfs", () => {
  using node = createUserspaceNode([1]);
  const file = join(fs.realpathSync(pciFolder(node.host, vf.address)), "resource0");
  open(node, 7, file);
  expect(findOpenDevice(node.host, vf)).toBe(`process 7 has ${file} open`);
});

test("a process whose main thread ended: the kernel shows what is open below its other threads alone", () => {
  using node = createUserspaceNode([1]);
  open(node, 7);
  const fds = join(node.host.paths.proc, "7/task/9/fd");
  fs.mkdirSync(join(node.host.paths.proc, "7/task/7/fd"), { recursive: true });
  fs.mkdirSync(fds, { recursive: true });
  fs.symlinkSync("/dev/vfio/12", join(fds, "3"));
  expect(findOpenDevice(node.host, vf)).toBe("process 7 has /dev/vfio/12 open");
});

test("where not every process is seen, or one cannot be looked into, nobody knows", () => {
  using node = createUserspaceNode([1]);
  open(node, 7, "/dev/null");
  const files: Host["files"] = {
    ...node.host.files,
    list: (path) => {
      if (path.endsWith("/7/fd")) throw new SystemCallError("readdir", path, "EACCES");
      return node.host.files.list(path);
    },
  };
  expect(findOpenDevice({ ...node.host, files }, vf)).toMatch(
    /^what process 7 has open cannot be read: .*EACCES/,
  );
  const own = join(node.host.paths.proc, "self/ns/pid");
  fs.rmSync(own);
  fs.mkdirSync(dirname(own), { recursive: true });
  fs.symlinkSync("pid:[4026532999]", own);
  expect(findOpenDevice(node.host, vf)).toBe("not every process of the node is seen from here");
});
