// What virtfn doctor tells of a VF on the host that has a name of virtfn's in place of its own.

import { join } from "node:path";

import { expect, test } from "vitest";

import { callDoctor, findTrouble } from "../../../support/call-doctor.ts";
import { createDoctorNode, type DoctorNode } from "../../../support/doctor-node.ts";

function rename({ host }: DoctorNode): void {
  using home = host.openNetlink();
  home.setLink(home.getLink({ name: "ens1f0v1" })?.index ?? 0, { set: "name", value: "vf03b11" });
}

/** The name is on the disk, as where /run was full. */
function note({ host, address }: DoctorNode): void {
  const inode = String(host.files.stat(join(host.paths.sys, "bus/pci/devices", address(1)))?.inode);
  const text = JSON.stringify({ format: "1.0", inode, name: "ens1f0v1" });
  host.files.writeAtomic(`${host.paths.homeNamesOnDisk}/${address(1)}.json`, text);
}

test("one of which no note tells the name is told with the command", async () => {
  using node = createDoctorNode();
  rename(node);
  const { exitCode, told } = await findTrouble(node);
  expect(exitCode).toBe(0);
  const seen =
    "0000:3b:02.1: it is called vf03b11, and its name before is not known: ip link set vf03b11 name NAME";
  expect(told).toEqual([expect.objectContaining({ check: "vf-names", severity: "warn", seen })]);
});

test("one with a note is told with its name, and who gives it back", async () => {
  using node = createDoctorNode();
  rename(node);
  note(node);
  const { text } = await callDoctor(node);
  expect(text.replaceAll(/\s+/g, " ")).toMatch(
    /vf-names warn 0000:3b:02\.1: its name ens1f0v1 is free again .* fix: virtfn repair, and tuning each minute/,
  );
});

test("a folder in the place of the note is unknown, not an error", async () => {
  using node = createDoctorNode();
  rename(node);
  node.host.files.writeAtomic(`${node.host.paths.homeNames}/${node.address(1)}.json/x`, "");
  const { told } = await findTrouble(node);
  expect(told).toEqual([expect.objectContaining({ check: "vf-names", severity: "unknown" })]);
});
