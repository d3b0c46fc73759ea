// Uevents of the real kernel, received by a process without any capability.
import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const script = `
import { createLibc } from "${join(import.meta.dirname, "../../../host/libc.ts")}";
import { createUevents } from "${join(import.meta.dirname, "../../../host/uevent.ts")}";
const subscription = createUevents(createLibc()).subscribe((notice) => {
  if (notice.event !== "uevent" || notice.uevent.subsystem !== "mem") return;
  console.log(JSON.stringify(notice.uevent));
  subscription[Symbol.dispose]();
});
console.log("subscribed");
`;

test("a process without capabilities sees what happens to devices, and ends when it no longer listens", async () => {
  const noCapability = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"];
  const child = Bun.spawn([...noCapability, process.execPath, "-e", script], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines: string[] = [];
  for await (const chunk of child.stdout) {
    lines.push(...new TextDecoder().decode(chunk).trim().split("\n"));
    if (lines.length === 1) fs.writeFileSync("/sys/class/mem/null/uevent", "change");
  }
  expect(lines).toEqual([
    "subscribed",
    '{"action":"change","devicePath":"/devices/virtual/mem/null","subsystem":"mem"}',
  ]);
  expect(await child.exited).toBe(0);
});
