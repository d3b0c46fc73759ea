// What a command does not understand of its flags is told with the command's name.

import { expect, test } from "vitest";

import { expectAbsolute, parseFlags, parseFlagsAndWords } from "../../../cli/flags.ts";
import { UsageError } from "../../../cli/usage-error.ts";

const flags = {
  json: { type: "boolean", default: false },
  name: { type: "string", multiple: true, default: [] as string[] },
} as const;

test("flags have their defaults, and what is given", () => {
  expect(parseFlags("odd", [], flags)).toEqual({ json: false, name: [] });
  expect(parseFlags("odd", ["--json", "--name", "a", "--name=b"], flags)).toEqual({
    json: true,
    name: ["a", "b"],
  });
  expect(parseFlagsAndWords("odd", ["x", "--json", "-"], flags).positionals).toEqual(["x", "-"]);
});

test.each([["--jsn"], ["--json=1"], ["--name"], ["x"]])("%s is not understood", (...argv) => {
  expect(() => parseFlags("odd", argv, flags)).toThrow(UsageError);
  expect(() => parseFlags("odd", argv, flags)).toThrow(/^virtfn odd: .*see `virtfn odd --help`/);
});

test("a path is absolute", () => {
  expect(expectAbsolute("odd", "dir", "/a")).toBe("/a");
  expect(() => expectAbsolute("odd", "dir", "a")).toThrow('--dir: expected an absolute path, got "a"');
});
