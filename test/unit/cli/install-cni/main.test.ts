// The command as a whole, on temporary folders: waiting, following changes, exit codes.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readCniVersions } from "../../../../cli/install-cni/cni-versions.ts";
import { runInstallCni } from "../../../../cli/install-cni/main.ts";
import { lookUntil } from "../../../../cli/install-cni/watch.ts";
import { createHost } from "../../../../host/create-host.ts";

const host = createHost();
const list = '{"cniVersion":"1.0.0","name":"cluster","plugins":[{"type":"bridge"}]}';
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "virtfn-run-"));
  writeScript('echo \'{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}\'');
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function writeScript(body: string): void {
  writeFileSync(join(root, "virtfn-cni"), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, "virtfn-cni"), 0o755);
}

function run(...options: readonly string[]): Promise<number> {
  const argv = [`--cni-bin-dir=${root}/bin`, `--cni-conf-dir=${root}/conf`, ...options];
  return runInstallCni(host, argv, join(root, "virtfn-cni"));
}

test("it makes missing folders, waits for the first configuration and ends when the entry is in it", async () => {
  const done = run();
  await vi.waitUntil(() => host.files.stat(join(root, "bin/virtfn")) !== undefined);
  host.files.writeAtomic(join(root, "conf/10-cluster.conflist"), list, 0o644);
  expect(await done).toBe(0);
  expect(readFileSync(join(root, "conf/10-cluster.conflist"), "utf8")).toContain('"type":"virtfn"');
});

test("a configuration it can't add to ends it with 1", async () => {
  host.files.writeAtomic(join(root, "conf/10-cluster.conf"), "{}", 0o644);
  expect(await run()).toBe(1);
});

test("without a conflist it ends when the executable is in place", async () => {
  expect(await run("--no-conflist")).toBe(0);
  expect(host.files.list(root)).toEqual(["bin", "virtfn-cni"]);
});

test("looking goes on after each change until the signal", async () => {
  const stop = new AbortController();
  let looks = 0;
  const ended = lookUntil(host, [root], stop.signal, () => {
    looks += 1;
    return false;
  });
  expect(looks).toBe(1);
  host.files.writeAtomic(join(root, "a"), "");
  await vi.waitUntil(() => looks > 1);
  stop.abort();
  await ended;
});

test("a folder that is made anew, or comes later, is followed", async () => {
  const [conf, late] = [join(root, "conf"), join(root, "late")];
  mkdirSync(conf);
  const stop = new AbortController();
  let looks = 0;
  const ended = lookUntil(host, [conf, late], stop.signal, () => {
    looks += 1;
    return false;
  });
  for (const folder of [conf, late]) {
    host.files.writeAtomic(join(conf, "old"), "");
    rmSync(conf, { recursive: true });
    for (const made of [conf, folder]) mkdirSync(made, { recursive: true });
    await vi.waitUntil(() => looks > 1);
    // What may still come of the folder before.
    await host.clock.sleep(300);
    looks = 0;
    host.files.writeAtomic(join(folder, "new"), "");
    await vi.waitUntil(() => looks > 0);
  }
  stop.abort();
  await expect(ended).resolves.toBeUndefined();
});

test.each([
  ["exit 3", "exit code 3"],
  ["echo nothing", 'got "nothing\\n"'],
  ["echo '{}'", 'got "{}\\n"'],
])("an executable that answers VERSION with %s is an error that shows the answer", async (body, message) => {
  writeScript(body);
  await expect(readCniVersions(host, join(root, "virtfn-cni"))).rejects.toThrow(message);
});
