// Records in their folder: written whole, read one by one, moved aside, watched.

import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { createClock } from "../../../host/clock.ts";
import type { Files } from "../../../host/files.ts";
import {
  listAttached,
  quarantineAttachment,
  readAttachment,
  readAttachments,
  readAttachmentsOf,
  removeAttachment,
  watchAttachments,
  writeAttachment,
} from "../../../sriov/attachment-store.ts";
import type { Attachment } from "../../../sriov/attachment.ts";
import type { RecordCorruptError } from "../../../sriov/errors.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { removeUserspaceCopy, userspaceCopyPath, writeUserspaceCopy } from "../../../sriov/userspace-copy.ts";
import { machines } from "../../fixtures/machines.ts";
import { sampleAttachment } from "../../support/attachment-arbitrary.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";

const address = sampleAttachment.device.address;

function recordOf(text: string): Attachment {
  return { ...sampleAttachment, device: { ...sampleAttachment.device, address: parsePciAddress(text) } };
}

function writeRaw(tree: FixtureTree, name: string, text: string): string {
  const path = join(tree.host.paths.attachments, name);
  fs.mkdirSync(tree.host.paths.attachments, { recursive: true });
  fs.writeFileSync(path, text);
  return path;
}

test("a node without the folder has no records", () => {
  using tree = createFixtureTree(machines.netvsc);
  expect(readAttachments(tree.host)).toEqual({ records: [], unreadable: [] });
  expect(readAttachment(tree.host, address)).toBeUndefined();
  expect(removeAttachment(tree.host, address)).toBe(false);
});

test("what is written is read, only root can, and removing it forgets it", () => {
  using tree = createFixtureTree(machines.netvsc);
  writeAttachment(tree.host, sampleAttachment);
  expect(readAttachment(tree.host, address)).toEqual(sampleAttachment);
  const folder = tree.host.paths.attachments;
  expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
  expect(fs.statSync(join(folder, `${address}.json`)).mode & 0o777).toBe(0o600);
  expect(removeAttachment(tree.host, address)).toBe(true);
  expect(fs.readdirSync(folder)).toEqual([]);
});

test("all records in PCI order; one unreadable file hides no other; foreign files do not count", () => {
  using tree = createFixtureTree(machines.netvsc);
  for (const text of ["0000:0a:00.1", "10000:01:00.0", "0000:02:00.7"])
    writeAttachment(tree.host, recordOf(text));
  const empty = writeRaw(tree, "0000:03:00.0.json", "");
  const notReadable = join(tree.host.paths.attachments, "0000:03:00.2.json");
  fs.mkdirSync(notReadable);
  writeRaw(tree, "0000:03:00.1.json.tmp", "{}");
  writeRaw(tree, "notes.json", "{}");
  const { records, unreadable } = readAttachments(tree.host);
  expect(records.map(({ device }) => device.address)).toEqual([
    "0000:02:00.7",
    "0000:0a:00.1",
    "10000:01:00.0",
  ]);
  expect(unreadable).toEqual([
    { address: "0000:03:00.0", path: empty, error: expect.objectContaining({ code: "ERR_RECORD_CORRUPT" }) },
    {
      address: "0000:03:00.2",
      path: notReadable,
      error: expect.objectContaining({ code: "ERR_SYSTEM_CALL" }),
    },
  ]);
});

test("a record under another VF's name is corrupt", () => {
  using tree = createFixtureTree(machines.netvsc);
  writeRaw(tree, "0000:03:00.0.json", JSON.stringify(sampleAttachment));
  expect(() => readAttachment(tree.host, parsePciAddress("0000:03:00.0"))).toThrow(
    /0000:03:00\.0\.json: it is about 0000:01:10\.2, expected 0000:03:00\.0/,
  );
});

test("quarantine keeps the bytes and the reason, and the VF has no record any more", () => {
  using tree = createFixtureTree(machines.netvsc);
  writeRaw(tree, `${address}.json`, "garbage");
  const host = { ...tree.host, clock: createClock(tree.host.files, tree.host.paths.proc) };
  const to = quarantineAttachment(host, address, "it is not JSON");
  if (to === undefined) throw new Error("nothing was moved");
  expect(fs.readFileSync(to, "utf8")).toBe("garbage");
  expect(fs.readFileSync(`${to}.reason`, "utf8")).toBe("it is not JSON\n");
  expect(readAttachment(tree.host, address)).toBeUndefined();
  expect(quarantineAttachment(host, address, "again")).toBeUndefined();
});

test("the watcher names the VF whose record came, changed or went, so that looking then shows the last state", async () => {
  using tree = createFixtureTree(machines.netvsc);
  const states: (string | undefined)[] = [];
  let seen = Promise.withResolvers<void>();
  using _watch = watchAttachments(tree.host, (changed) => {
    states.push(readAttachment(tree.host, changed)?.state);
    seen.resolve();
  });
  const until = async (state: string | undefined): Promise<void> => {
    while (states.at(-1) !== state || states.length === 0) {
      seen = Promise.withResolvers();
      await seen.promise;
    }
  };
  writeAttachment(tree.host, { ...sampleAttachment, state: "adding" });
  await until("adding");
  writeAttachment(tree.host, sampleAttachment);
  await until("attached");
  removeAttachment(tree.host, address);
  await until(undefined);
  expect(new Set(states)).toEqual(new Set(["adding", "attached", undefined]));
});

test("of one container: another's record is left out, also one that is no whole record; what tells no owner is listed as unreadable", () => {
  using tree = createFixtureTree(machines.netvsc);
  const { containerId } = sampleAttachment.owner;
  const own = recordOf("0000:0a:00.1");
  const other = recordOf("0000:0a:00.2");
  writeAttachment(tree.host, own);
  writeAttachment(tree.host, { ...other, owner: { ...other.owner, containerId: "other" } });
  writeRaw(tree, "0000:03:00.0.json", '{"format":"1.0","owner":{"containerId":"other"}}');
  writeRaw(tree, "0000:03:00.1.json", `{"format":"1.0","owner":{"containerId":"${containerId}"}}`);
  const escaped = containerId.replaceAll(/./g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`);
  writeRaw(tree, "0000:03:00.2.json", `{"format":"1.0","owner":{"containerId":"${escaped}"}}`);
  for (const [at, text] of ["", "null", '{"owner":7}', '{"owner":{"containerId":"ot'].entries())
    writeRaw(tree, `0000:04:00.${at}.json`, text);
  const { records, unreadable } = readAttachmentsOf(tree.host, containerId);
  expect(records).toEqual([own]);
  expect(unreadable.map((each) => String(each.address))).toEqual([
    "0000:03:00.1",
    "0000:03:00.2",
    "0000:04:00.0",
    "0000:04:00.1",
    "0000:04:00.2",
    "0000:04:00.3",
  ]);
});

test("of a record that is lost the second copy is listed, and is no record; beside one it does not count", () => {
  using tree = createFixtureTree(machines.netvsc);
  const other = recordOf("0000:0a:00.2");
  const foreign = { ...other, owner: { ...other.owner, containerId: "other" } };
  for (const record of [sampleAttachment, foreign]) writeUserspaceCopy(tree.host, record);
  const lost = {
    address,
    path: userspaceCopyPath(tree.host, address),
    error: expect.objectContaining({ code: "ERR_RECORD_CORRUPT" }) as RecordCorruptError,
  };
  expect(listAttached(tree.host)).toEqual([address, other.device.address]);
  expect(readAttachmentsOf(tree.host, sampleAttachment.owner.containerId)).toEqual({
    records: [],
    unreadable: [lost],
  });
  expect(() => readAttachment(tree.host, address)).toThrow(
    /run\/virtfn\/userspace\/0000:01:10\.2\.json: the record that it is a copy of is lost/,
  );
  removeUserspaceCopy(tree.host, other.device.address);
  expect(readAttachments(tree.host)).toEqual({ records: [], unreadable: [lost] });
  writeAttachment(tree.host, sampleAttachment);
  expect(readAttachments(tree.host)).toEqual({ records: [sampleAttachment], unreadable: [] });
});

test("a record and its copy that are written between two looks are no lost record", () => {
  using tree = createFixtureTree(machines.netvsc);
  let looks = 0;
  const readText: Files["readText"] = (path) => {
    const text = tree.host.files.readText(path);
    looks += 1;
    if (looks === 1) {
      writeAttachment(tree.host, sampleAttachment);
      writeUserspaceCopy(tree.host, sampleAttachment);
    }
    return text;
  };
  const host = { ...tree.host, files: { ...tree.host.files, readText } };
  expect(readAttachment(host, address)).toEqual(sampleAttachment);
});
