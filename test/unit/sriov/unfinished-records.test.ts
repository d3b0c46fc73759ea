// Temporary files of writers that were killed: removed when nobody can be writing any more.

import * as fs from "node:fs";
import { expect, test } from "vitest";

import { removeUnfinishedRecords } from "../../../sriov/unfinished-records.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const unfinished = ".0000:3b:02.1.json.4711.0a1b2c3d.tmp";
const ofOther = ".0000:3b:02.0.json.4711.0a1b2c3d.tmp";
const strange = [".hidden", "0000:3b:02.3.json", "x.json.4711.0a1b2c3d.tmp"];

function addFiles({ host }: FakeHost, names: readonly string[]): void {
  fs.mkdirSync(host.paths.attachments, { recursive: true });
  for (const name of names) fs.writeFileSync(`${host.paths.attachments}/${name}`, "{");
}

test("only files that are temporary, of a record, and of a VF that nobody has locked, are removed", async () => {
  using node = createFakeHost();
  const { host } = node;
  addFiles(node, [unfinished, ofOther, ...strange]);
  {
    using _lock = await host.locks.acquire("0000:3b:02.0");
    await removeUnfinishedRecords(host);
    expect(host.files.list(host.paths.attachments)).toEqual([ofOther, ...strange].toSorted());
  }
  await removeUnfinishedRecords(host);
  expect(host.files.list(host.paths.attachments)).toEqual(strange.toSorted());
  expect(node.locks.held.size).toBe(0);
});

test("without a folder of records there is nothing to do", async () => {
  using node = createFakeHost();
  await removeUnfinishedRecords(node.host);
  expect(node.locks.taken).toEqual([]);
});

test.each([
  ["DEL", { deviceID: "0000:3b:02.1" }],
  ["DEL", { pf: "ens1f0" }],
  ["GC", { "cni.dev/valid-attachments": [] }],
])("%s with %j clears up after an ADD that was killed before it had a record", async (command, keys) => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const before = node.toText();
  addFiles(node, [unfinished]);
  const config = { cniVersion: "1.1.0", name: "blue", type: "virtfn", ...keys };
  expect(await callCni(node.host, config, { command })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});
