// Notes of names that VFs on the host could not get back.

import { expect, test } from "vitest";

import { listHomeNames, readHomeName } from "../../../sriov/home-name.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { machines } from "../../fixtures/machines.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";

const device = { address: parsePciAddress("0000:3b:02.1"), inode: "77" };
const note = { format: "1.0", inode: "77", name: "ens1f0v1" };

function readNote(tree: FixtureTree, text: string): string | undefined {
  tree.host.files.writeAtomic(`${tree.host.paths.homeNames}/${device.address}.json`, text);
  return readHomeName(tree.host, device);
}

test("a note of this very VF tells its name, of any minor of the format", () => {
  using tree = createFixtureTree(machines.netvsc);
  expect(readHomeName(tree.host, device)).toBeUndefined();
  for (const more of [{}, { format: "1.7", colour: "blue" }, { name: "fifteen-bytes-x" }])
    expect(readNote(tree, JSON.stringify({ ...note, ...more }))).toBe({ ...note, ...more }.name);
  expect(listHomeNames(tree.host)).toEqual([device.address]);
});

test.each([
  "",
  "{",
  "null",
  "[]",
  JSON.stringify({ ...note, inode: "78" }),
  JSON.stringify({ ...note, inode: 77 }),
  JSON.stringify({ ...note, format: "2.0" }),
  ...["", ".", "..", "a/b", "a b", "a:b", "a%d", "sixteen-bytes-xx", "ünicode-of-16-b", "\0", 5].map((name) =>
    JSON.stringify({ ...note, name }),
  ),
])("what is no such note tells nothing: %s", (text) => {
  using tree = createFixtureTree(machines.netvsc);
  expect(readNote(tree, text)).toBeUndefined();
});

test("a folder in the place of a note is an error that names it, and other files are no notes", () => {
  using tree = createFixtureTree(machines.netvsc);
  tree.host.files.writeAtomic(`${tree.host.paths.homeNames}/${device.address}.json/x`, "");
  tree.host.files.writeAtomic(`${tree.host.paths.homeNames}/notes.json`, "{}");
  expect(listHomeNames(tree.host)).toEqual([device.address]);
  expect(() => readHomeName(tree.host, device)).toThrow(/names\/0000:3b:02\.1\.json/);
});
