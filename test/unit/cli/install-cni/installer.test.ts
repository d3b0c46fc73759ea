// Executable and entry on a host made of temporary folders.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listPluginTypes } from "../../../../cli/install-cni/conflist.ts";
import { Installer, type InstallReport, whyNotInstalled } from "../../../../cli/install-cni/installer.ts";
import { createHost } from "../../../../host/create-host.ts";
import { SystemCallError } from "../../../../host/errors.ts";
import { createFiles, type Files } from "../../../../host/files.ts";

const list = '{"cniVersion":"1.0.0","name":"cluster","plugins":[{"type":"bridge"}]}';
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "virtfn-install-"));
  for (const folder of ["image", "bin", "conf"]) mkdirSync(join(root, folder));
  writeFileSync(join(root, "image/virtfn-cni"), "#!/bin/sh\n# release 1\n");
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function refuse(path: string): never {
  throw new SystemCallError("write", path, "EROFS");
}

function installer(aliases: readonly string[] = [], files: Partial<Files> = {}): Installer {
  const at = (name: string): string => join(root, name);
  const options = {
    source: at("image/virtfn-cni"),
    binDir: at("bin"),
    confDir: at("conf"),
    entryFile: at("chained.yaml"),
    udevRules: undefined,
    hostRoot: root,
    aliases,
  };
  return new Installer({ ...createHost(), files: { ...createFiles(), ...files } }, options, ["1.0.0"]);
}

/** Files below `folder` with their first words, as text. */
function show(folder: string): string {
  return readdirSync(join(root, folder))
    .toSorted()
    .map(
      (name) =>
        `${name}: ${readFileSync(join(root, folder, name), "utf8")
          .trim()
          .split("\n")
          .at(-1)}`,
    )
    .join("\n");
}

function problemOf(report: InstallReport): string | undefined {
  return report.conflist?.kind === "refused" ? report.conflist.error.message : undefined;
}

test("without any configuration the executable is installed, executable for all, and the look says what it waits for", () => {
  const report = installer().look();
  expect(show("bin")).toBe("virtfn: # release 1");
  expect(statSync(join(root, "bin/virtfn")).mode & 0o777).toBe(0o755);
  expect(report.conflist).toEqual({ kind: "waiting" });
  expect(whyNotInstalled(report)).toBe("waiting for the cluster's own CNI configuration");
});

test("the list that the runtime loads gets the entry, keeps its mode, and is left alone the second time", () => {
  writeFileSync(join(root, "conf/10-cluster.conflist"), list);
  chmodSync(join(root, "conf/10-cluster.conflist"), 0o640);
  writeFileSync(join(root, "conf/20-other.conflist"), list);
  writeFileSync(join(root, "conf/00-readme.txt"), "not a configuration");
  mkdirSync(join(root, "conf/05-folder.conflist"));
  const look = installer();
  const path = join(root, "conf/10-cluster.conflist");
  expect(look.look().conflist).toEqual({ kind: "chained", path, written: true });
  expect(readFileSync(path, "utf8")).toContain('"type":"virtfn"');
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(readFileSync(join(root, "conf/20-other.conflist"), "utf8")).toBe(list);
  expect(look.look()).toEqual({
    executable: { kind: "installed", written: [] },
    conflist: { kind: "chained", path, written: false },
  });
  expect(readdirSync(join(root, "conf"))).toHaveLength(4);
});

test("when the main CNI rewrites its file or brings one that comes first, the entry is there again after the next look", () => {
  const look = installer();
  const path = join(root, "conf/10-cluster.conflist");
  for (const name of ["10-cluster.conflist", "10-cluster.conflist", "05-new.conflist"]) {
    writeFileSync(join(root, "conf", name), list);
    expect(look.look().conflist).toEqual({ kind: "chained", path: join(root, "conf", name), written: true });
  }
  expect(readFileSync(path, "utf8")).toContain('"type":"virtfn"');
});

test.each([
  [
    "10-cluster.conf",
    '{"cniVersion":"1.0.0","name":"c","type":"bridge"}',
    "expected a list of plugins (.conflist)",
  ],
  ["10-cluster.json", list, "expected a list of plugins (.conflist)"],
  ["10-cluster.conflist", list.slice(0, 20), "expected JSON"],
  ["10-cluster.conflist", list.replace("1.0.0", "1.1.0"), "got 1.1.0"],
])("%s with %s is left as it is and the reason names it", (name, text, problem) => {
  const path = join(root, "conf", name);
  writeFileSync(path, text);
  const report = installer().look();
  expect(problemOf(report)).toContain(path);
  expect(problemOf(report)).toContain(problem);
  expect(readFileSync(path, "utf8")).toBe(text);
  expect(whyNotInstalled(report)).toBe(problemOf(report));
});

test("what the entry says comes from its file, is followed when that changes, and stays when it is taken away", () => {
  const path = join(root, "conf/10-cluster.conflist");
  writeFileSync(path, list);
  writeFileSync(join(root, "chained.yaml"), "networks:\n  - resource: sriov/vf\n    vlan: 100\n");
  const look = installer();
  look.look();
  expect(readFileSync(path, "utf8")).toContain('"networks":[{"resource":"sriov/vf","vlan":100}]');
  writeFileSync(join(root, "chained.yaml"), '{"networks":[{"resource":"sriov/vf","vlan":200}]}');
  expect(look.look().conflist).toEqual({ kind: "chained", path, written: true });
  expect(readFileSync(path, "utf8")).toContain('"vlan":200');
  rmSync(join(root, "chained.yaml"));
  expect(look.look().conflist).toEqual({ kind: "chained", path, written: false });
});

test.each([
  ["- resource: sriov/vf", "expected a mapping with the key networks, got a list"],
  ["", "top level: expected Object, got null"],
  ["type: sriov", 'type: to be left to install-cni, got "sriov"'],
  ["networks: [", "chained.yaml"],
])("an entry file with %j leaves the list as it is", (text, problem) => {
  writeFileSync(join(root, "conf/10-cluster.conflist"), list);
  writeFileSync(join(root, "chained.yaml"), text);
  expect(problemOf(installer().look())).toContain(problem);
  expect(readFileSync(join(root, "conf/10-cluster.conflist"), "utf8")).toBe(list);
});

test("a symbolic link is left as it is", () => {
  writeFileSync(join(root, "real"), list);
  symlinkSync(join(root, "real"), join(root, "conf/10-cluster.conflist"));
  expect(problemOf(installer().look())).toContain("got a symlink");
  expect(readFileSync(join(root, "real"), "utf8")).toBe(list);
});

test("a new release replaces the executable, an unchanged one is not written, a changed file is made whole again", () => {
  installer().look();
  const before = statSync(join(root, "bin/virtfn")).ino;
  const look = installer();
  expect(look.look().executable).toEqual({ kind: "installed", written: [] });
  expect(statSync(join(root, "bin/virtfn")).ino).toBe(before);
  writeFileSync(join(root, "bin/virtfn"), "cut short");
  expect(look.look().executable).toMatchObject({ written: [join(root, "bin/virtfn")] });
  writeFileSync(join(root, "image/virtfn-cni"), "#!/bin/sh\n# release 2\n");
  look.look();
  expect(show("bin")).toBe("virtfn: # release 2");
});

test("another program's file under an alias is kept beside it, our own of the release before is not", () => {
  writeFileSync(join(root, "bin/sriov"), "sriov-cni");
  installer(["sriov"]).look();
  expect(show("bin")).toBe("sriov: # release 1\nsriov.before-virtfn: sriov-cni\nvirtfn: # release 1");
  writeFileSync(join(root, "image/virtfn-cni"), "#!/bin/sh\n# release 2\n");
  installer(["sriov"]).look();
  expect(show("bin")).toBe("sriov: # release 2\nsriov.before-virtfn: sriov-cni\nvirtfn: # release 2");
});

test("an alias that is asked for no more goes with the release: it is told from another program's file", () => {
  writeFileSync(join(root, "bin/sriov"), "sriov-cni");
  installer(["sriov"]).look();
  writeFileSync(join(root, "image/virtfn-cni"), "#!/bin/sh\n# release 2\n");
  installer().look();
  expect(show("bin")).toBe("sriov: # release 2\nsriov.before-virtfn: sriov-cni\nvirtfn: # release 2");
  installer(["sriov"]).look();
  expect(show("bin")).toBe("sriov: # release 2\nsriov.before-virtfn: sriov-cni\nvirtfn: # release 2");
});

test("a copy of the executable that somebody keeps to go back to stays as it is", () => {
  installer().look();
  const kept = ["virtfn.old", "virtfn-1", "virtfn_1"];
  for (const name of kept) writeFileSync(join(root, "bin", name), readFileSync(join(root, "bin/virtfn")));
  writeFileSync(join(root, "image/virtfn-cni"), "#!/bin/sh\n# release 2\n");
  installer().look();
  expect(show("bin").split("\n").toSorted()).toEqual([
    "virtfn-1: # release 1",
    "virtfn.old: # release 1",
    "virtfn: # release 2",
    "virtfn_1: # release 1",
  ]);
});

test("what was kept of another program is never written over, also when somebody removed virtfn", () => {
  writeFileSync(join(root, "bin/sriov"), "sriov-cni");
  installer(["sriov"]).look();
  rmSync(join(root, "bin/virtfn"));
  writeFileSync(join(root, "image/virtfn-cni"), "#!/bin/sh\n# release 2\n");
  installer(["sriov"]).look();
  expect(readFileSync(join(root, "bin/sriov.before-virtfn"), "utf8")).toBe("sriov-cni");
  expect(readFileSync(join(root, "bin/sriov.before-virtfn.2"), "utf8")).toContain("release 1");
});

test("what a killed installer left half copied is removed, and nothing else", () => {
  const left = ".virtfn.4711.0123abcd.tmp";
  const foreign = ".bridge.4711.0123abcd.tmp";
  for (const name of [left, foreign]) writeFileSync(join(root, "bin", name), "half");
  installer().look();
  expect(readdirSync(join(root, "bin"))).toEqual([foreign, "virtfn"]);
});

test("an executable that the host can't start is not installed, and the runtime is not told to call it", () => {
  rmSync(join(root, "image/virtfn-cni"));
  symlinkSync(process.execPath, join(root, "image/virtfn-cni"));
  writeFileSync(join(root, "conf/10-cluster.conflist"), list);
  const report = installer().look();
  expect(report.executable).toMatchObject({
    kind: "refused",
    isUsable: false,
    error: { code: "ERR_HOST_LIBRARY" },
  });
  expect(report.conflist).toBeUndefined();
  expect(readdirSync(join(root, "bin"))).toEqual([]);
  expect(readFileSync(join(root, "conf/10-cluster.conflist"), "utf8")).toBe(list);
  expect(whyNotInstalled(report)).toContain("the host has no /lib");
});

test("when only the new release can't be started the one before stays in use", () => {
  installer().look();
  rmSync(join(root, "image/virtfn-cni"));
  symlinkSync(process.execPath, join(root, "image/virtfn-cni"));
  writeFileSync(join(root, "conf/10-cluster.conflist"), list);
  const report = installer().look();
  expect(report.executable).toMatchObject({
    kind: "refused",
    isUsable: true,
    error: {
      code: "ERR_HOST_LIBRARY",
      message: expect.stringMatching(/the host has no \/lib.*ld-linux/) as string,
    },
  });
  expect(report.conflist).toMatchObject({ kind: "chained" });
  expect(show("bin")).toBe("virtfn: # release 1");
  expect(whyNotInstalled(report)).toBeUndefined();
});

test("a configuration that cannot be written so that it lasts is left as it is, with the reason", () => {
  const path = join(root, "conf/10-cluster.conflist");
  writeFileSync(path, list);
  expect(whyNotInstalled(installer([], { replaceUnchanged: refuse }).look())).toBe(
    `cannot add virtfn to ${path}: it could not be written: write(${path}) failed: EROFS`,
  );
  expect(readFileSync(path, "utf8")).toBe(list);
});

test("what the main CNI writes between the look and the write is not lost, and gets the entry at once", () => {
  const path = join(root, "conf/10-cluster.conflist");
  writeFileSync(path, list);
  const files = createFiles();
  let left = 2;
  const readText = (file: string): string | undefined => {
    const text = files.readText(file);
    if (file !== path || left === 0) return text;
    left -= 1;
    files.writeAtomic(path, list.replace("bridge", `ptp${left}`), 0o644);
    return text;
  };
  expect(installer([], { readText }).look().conflist).toEqual({ kind: "chained", path, written: true });
  expect(listPluginTypes(files.readText(path) ?? "")).toEqual(["ptp0", "virtfn"]);
  left = 99;
  writeFileSync(path, list);
  expect(whyNotInstalled(installer([], { readText }).look())).toContain("writes it again and again");
  expect(files.readText(path)).not.toContain("virtfn");
});
