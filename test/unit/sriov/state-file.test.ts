// Small JSON files of a daemon: the whole of one, or an error that names the file and each problem's place.

import * as v from "valibot";
import { expect, test } from "vitest";

import { firstFormat, parseStateFile, readStateFile } from "../../../sriov/state-file.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const schema = v.object({ format: firstFormat, vfs: v.array(v.object({ at: v.string() })) });

test("no file is nothing, a file is what it says, of any minor of format 1", () => {
  using fake = createFakeHost();
  const path = fake.host.paths.pools;
  expect(readStateFile(fake.host, path, schema)).toBeUndefined();
  fake.host.files.writeAtomic(path, '{"format":"1.7","vfs":[{"at":"x","new":1}],"more":true}');
  expect(readStateFile(fake.host, path, schema)).toEqual({ format: "1.7", vfs: [{ at: "x" }] });
});

test.each([
  ["", "reading the record FILE: expected JSON"],
  ['{"format":"2.0","vfs":[]}', "reading the record FILE: format: expected 1.x"],
  [
    '{"format":"1.0","vfs":[{"at":"x"},{"at":1},{}]}',
    "reading the record FILE: vfs.1.at: Invalid type: Expected string but received 1 | " +
      'vfs.2.at: Invalid key: Expected "at" but received undefined',
  ],
])("%j: %s", (text, message) => {
  expect(() => parseStateFile(text, "FILE", schema)).toThrow(message);
});
