// Records as JSON: round trips, other formats, unknown fields, and files that are no records.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatAttachment, parseAttachment } from "../../../sriov/attachment-format.ts";
import { isOfThisBoot, ownerToken } from "../../../sriov/attachment.ts";
import { anyAttachment, sampleAttachment } from "../../support/attachment-arbitrary.ts";
import { codeOf } from "../../support/code-of.ts";

const path = "/var/lib/virtfn/attachments/0000:01:10.2.json";

test("round trip: any record", () => {
  fc.assert(
    fc.property(anyAttachment, (record) => {
      expect(parseAttachment(formatAttachment(record), path)).toEqual(record);
    }),
  );
});

test("formatting what was parsed changes no byte", () => {
  fc.assert(
    fc.property(anyAttachment, (record) => {
      const json = formatAttachment(record);
      expect(formatAttachment(parseAttachment(json, path))).toBe(json);
    }),
  );
});

test("a later minor is read, and its unknown fields survive a rewrite at every depth", () => {
  const later = {
    ...sampleAttachment,
    format: "1.7",
    colour: "blue",
    owner: { ...sampleAttachment.owner, zone: { rack: 4 } },
    original: { ...sampleAttachment.original, queues: [{ queue: "rx-0", threaded: true }] },
  };
  const read = parseAttachment(JSON.stringify(later), path);
  const rewritten: unknown = JSON.parse(formatAttachment({ ...read, state: "releasing" }));
  expect(rewritten).toEqual({ ...later, state: "releasing" });
});

test.each(["2.0", "0.9", "10.0", "1", "1.x", ""])(
  "format %j is refused, naming the file and what to do",
  (format) => {
    const json = JSON.stringify({ ...sampleAttachment, format });
    expect(() => parseAttachment(json, path)).toThrow(
      expect.objectContaining({
        code: "ERR_RECORD_FORMAT",
        message: expect.stringMatching(
          /0000:01:10\.2\.json: expected format 1\.x, got ".*"; install the release/,
        ),
      }),
    );
  },
);

test.each([
  ["", "the file is empty"],
  ["\n", "the file is empty"],
  ["\0\0\0\0", "it is not JSON"],
  [formatAttachment(sampleAttachment).slice(0, 300), "it is not JSON"],
  ["null", 'it has no field "format"'],
  ["[]", 'it has no field "format"'],
  ['{"format":1}', 'it has no field "format"'],
])("%j is a corrupt record: %s", (json, problem) => {
  expect(() => parseAttachment(json, path)).toThrow(
    expect.objectContaining({
      code: "ERR_RECORD_CORRUPT",
      message: expect.stringContaining(`${path}: ${problem}`),
    }),
  );
});

test("every wrong field is named at once", () => {
  const wrong = {
    ...sampleAttachment,
    state: "flying",
    device: { ...sampleAttachment.device, address: "../../etc/passwd", inode: "x" },
    owner: { ...sampleAttachment.owner, containerId: "" },
  };
  expect(() => parseAttachment(JSON.stringify(wrong), path)).toThrow(
    /owner\.containerId: .*device\.address: expected a PCI address; device\.inode: .*state: /,
  );
});

test("any JSON, and any damage to a record, is a record or a coded error", () => {
  const damaged = fc.tuple(anyAttachment, fc.nat(), fc.string({ maxLength: 3 })).map(([record, at, text]) => {
    const json = formatAttachment(record);
    const cut = at % json.length;
    return json.slice(0, cut) + text + json.slice(cut + text.length);
  });
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), damaged), (json) => {
      const roundTrip = (): void => {
        const record = parseAttachment(json, path);
        expect(parseAttachment(formatAttachment(record), path)).toEqual(record);
      };
      expect(["ok", "ERR_RECORD_CORRUPT", "ERR_RECORD_FORMAT"]).toContain(codeOf(roundTrip));
    }),
  );
});

test("the owner token tells containers, and attachments of one container, apart", () => {
  expect(ownerToken({ containerId: "4f1c09", attachment: "eth0" })).toBe("4f1c09/eth0");
});

test("a record of another boot is recognised", () => {
  expect(isOfThisBoot(sampleAttachment, sampleAttachment.bootId)).toBe(true);
  expect(isOfThisBoot(sampleAttachment, "another")).toBe(false);
});
