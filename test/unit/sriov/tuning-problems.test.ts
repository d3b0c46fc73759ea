// The file of tuning's problems: what is written is read, and what is no such file is told.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  formatTuningProblems,
  parseTuningProblems,
  readTuningProblems,
  writeTuningProblems,
} from "../../../sriov/tuning-problems.ts";
import { codeOf } from "../../support/code-of.ts";
import { createFakeHost } from "../../support/fake-host.ts";

test("what is written is read", () => {
  const texts = { vf: fc.string(), about: fc.string(), code: fc.string(), message: fc.string() };
  fc.assert(
    fc.property(fc.array(fc.record(texts)), (problems) => {
      expect(parseTuningProblems(formatTuningProblems(problems), "file")).toEqual(problems);
    }),
  );
});

test("without problems there is no file", () => {
  using node = createFakeHost();
  const problem = { vf: "node", about: "kubelet", code: "ERR_POD_RESOURCES", message: "no answer" };
  writeTuningProblems(node.host, [problem]);
  expect(readTuningProblems(node.host)).toEqual([problem]);
  writeTuningProblems(node.host, []);
  expect(node.host.files.stat(node.host.paths.tuningProblems)).toBeUndefined();
  expect(readTuningProblems(node.host)).toEqual([]);
});

test.each(["", "{", "[]", '{"format": "2.0", "problems": []}', '{"format": "1.0", "problems": [1]}'])(
  "%j is none",
  (text) => {
    expect(codeOf(() => parseTuningProblems(text, "file"))).toBe("ERR_RECORD_CORRUPT");
  },
);
