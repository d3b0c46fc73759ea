// Words of commands, as a shell reads them.

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

import { quoteWord } from "../../../cli/shell-word.ts";

test.each(["net1", "eth0.100", "veth@if2"])("%s stays as it is", (name) => {
  expect(quoteWord(name)).toBe(name);
});

test.each(["a;reboot", "$(id)", "`id`", "it's", "a&b", "*", "", "'"])("%j is one word to a shell", (name) => {
  const { stdout } = spawnSync("sh", ["-c", `printf %s ${quoteWord(name)}`], { encoding: "utf8" });
  expect(stdout).toBe(name);
});
