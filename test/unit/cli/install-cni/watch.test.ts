// When install-cni looks again: at what others do in its folders, not at its own writes that fail.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { lookUntil } from "../../../../cli/install-cni/watch.ts";
import { createClock } from "../../../../host/clock.ts";
import { SystemCallError } from "../../../../host/errors.ts";
import { createFiles } from "../../../../host/files.ts";
import { waitFor } from "../../../support/wait-for.ts";

let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "virtfn-watch-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

test("a write that fails, as on a full disk, is tried again when somebody else changes the folder, not at once", async () => {
  const files = createFiles();
  // A file cannot take its place: the write fails after its temporary file was made.
  fs.mkdirSync(join(folder, "virtfn/file"), { recursive: true });
  const stop = new AbortController();
  let looks = 0;
  const looking = lookUntil({ files, clock: createClock(files) }, [folder], stop.signal, () => {
    looks += 1;
    expect(() => files.writeAtomic(join(folder, "virtfn"), "x")).toThrow(SystemCallError);
    return false;
  });
  await Bun.sleep(1000);
  expect(looks).toBe(1);
  fs.writeFileSync(join(folder, "10-cluster.conflist"), "{}");
  await waitFor("another look", () => looks === 2);
  stop.abort();
  await looking;
});
