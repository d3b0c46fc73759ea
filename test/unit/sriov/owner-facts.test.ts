// The facts liveness judges by: what is believed of a namespace's path, what is not, and where the VF is.

import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { createClock } from "../../../host/clock.ts";
import { SystemCallError } from "../../../host/errors.ts";
import type { Files } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import type { Namespaces } from "../../../host/netns.ts";
import { createPaths } from "../../../host/paths.ts";
import type { Attachment } from "../../../sriov/attachment.ts";
import { readVf } from "../../../sriov/inventory.ts";
import type { OwnerFacts } from "../../../sriov/liveness.ts";
import { readOwnerFacts } from "../../../sriov/owner-facts.ts";
import { machines, type Machine } from "../../fixtures/machines.ts";
import { sampleAttachment } from "../../support/attachment-arbitrary.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";

const { address } = sampleAttachment.device;
const { cookie } = sampleAttachment.owner;

interface Scene {
  readonly machine?: Machine;
  /** Namespaces that can be opened: path below the tree -> cookie. */
  readonly open?: Readonly<Record<string, bigint>>;
  readonly owner?: Partial<Attachment["owner"]>;
  readonly bootId?: string;
  readonly viaProcess1?: boolean;
  readonly failWith?: Error;
  /** Process 1 must not be looked at. */
  readonly isBlind?: boolean;
  readonly prepare?: (tree: FixtureTree) => void;
  /** After the record was made. */
  readonly after?: (tree: FixtureTree) => void;
}

function factsOf(scene: Scene): OwnerFacts {
  using tree = createFixtureTree(scene.machine ?? machines.igb);
  for (const folder of ["run/netns", "var"]) fs.mkdirSync(join(tree.root, folder), { recursive: true });
  fs.symlinkSync("/run", join(tree.root, "var/run"));
  if (scene.viaProcess1 === true) fs.symlinkSync(tree.root, join(tree.root, "proc/1/root"));
  scene.prepare?.(tree);
  const inode = readVf(tree.host, address)?.inode ?? 0n;
  scene.after?.(tree);
  const hostRoot = scene.viaProcess1 === true ? join(tree.root, "proc/1/root") : tree.root;
  const record: Attachment = {
    ...sampleAttachment,
    bootId: scene.bootId ?? sampleAttachment.bootId,
    owner: { ...sampleAttachment.owner, ...scene.owner },
    device: { ...sampleAttachment.device, inode: String(inode) },
  };
  return readOwnerFacts(
    { ...hostOf(tree, hostRoot, scene.isBlind === true), namespaces: namespacesOf(scene, hostRoot) },
    record,
  );
}

function hostOf(
  tree: FixtureTree,
  hostRoot: string,
  isBlind: boolean,
): Pick<Host, "files" | "paths" | "clock"> {
  const paths = createPaths(tree.root, hostRoot);
  const { files } = tree.host;
  const readLink: Files["readLink"] = (path) => {
    if (isBlind && path.includes("/proc/1/ns/"))
      throw new SystemCallError("readlink", "/proc/1/ns", "EACCES");
    return files.readLink(path);
  };
  return { files: { ...files, readLink }, paths, clock: createClock(files, paths.proc) };
}

function namespacesOf({ open = {}, failWith }: Scene, hostRoot: string): Namespaces {
  return {
    open: (path) => {
      if (failWith !== undefined) throw failWith;
      const found = open[path.slice(hostRoot.length)];
      return found === undefined
        ? undefined
        : { label: path, fd: -1, cookie: found, [Symbol.dispose]: () => {} };
    },
    own: () => {
      throw new Error("not asked for");
    },
    openSysfs: () => {
      throw new Error("not asked for");
    },
    readCounters: () => {
      throw new Error("not asked for");
    },
    writeSysctls: () => {
      throw new Error("not asked for");
    },
    sendFrames: () => {
      throw new Error("not asked for");
    },
  };
}

function relink(tree: FixtureTree, path: string, text: string): void {
  fs.rmSync(join(tree.root, path));
  fs.symlinkSync(text, join(tree.root, path));
}

const here = { "/run/netns/cni-1": 4097n };
const inAnotherMountNamespace = (tree: FixtureTree): void =>
  relink(tree, "proc/self/ns/mnt", "mnt:[4026532999]");
const inAContainer = (tree: FixtureTree): void => relink(tree, "proc/self/ns/pid", "pid:[4026532777]");

test("the namespace is found by way of the host's own links, not of ours", () => {
  expect(factsOf({ open: here }).namespace).toEqual({ seen: "namespace", cookie });
  const facts = factsOf({ open: here, viaProcess1: true, prepare: inAnotherMountNamespace });
  expect(facts.namespace).toEqual({ seen: "namespace", cookie });
});

test("another cookie under the same path is told", () => {
  expect(factsOf({ open: { "/run/netns/cni-1": 5000n } }).namespace).toEqual({
    seen: "namespace",
    cookie: "5000",
  });
});

test("a missing path is missing, on the host and through process 1's root", () => {
  expect(factsOf({}).namespace).toEqual({ seen: "missing" });
  expect(factsOf({ viaProcess1: true, prepare: inAnotherMountNamespace }).namespace).toEqual({
    seen: "missing",
  });
});

test.each<[string, Scene, RegExp]>([
  [
    "the folder is not there",
    { prepare: (tree) => fs.rmdirSync(join(tree.root, "run/netns")) },
    /no folder \/run\/netns/,
  ],
  ["another mount namespace", { prepare: inAnotherMountNamespace }, /not read in the host's mount namespace/],
  [
    "another mount namespace, another cookie",
    { prepare: inAnotherMountNamespace, open: { "/run/netns/cni-1": 5000n } },
    /not read in the host's mount namespace/,
  ],
  [
    "a folder in a container's image",
    { prepare: inAContainer },
    /\/run\/netns is not known to be the host's/,
  ],
  [
    "a file on which no namespace is mounted",
    { prepare: (tree) => fs.writeFileSync(join(tree.root, "run/netns/cni-1"), "") },
    /no namespace is mounted on it/,
  ],
  [
    "the path of a process that ended",
    {
      owner: { netns: "/proc/77/ns/net" },
      prepare: (tree) => fs.mkdirSync(join(tree.root, "proc/77/ns"), { recursive: true }),
    },
    /a path of a process tells nothing/,
  ],
  ["a relative path", { owner: { netns: "netns/cni-1" } }, /no absolute path/],
  [
    "a circle of links",
    { prepare: (tree) => fs.symlinkSync("/run/netns/cni-1", join(tree.root, "run/netns/cni-1")) },
    /too many symbolic links/,
  ],
  ["process 1 hidden", { isBlind: true }, /readlink\(\/proc\/1\/ns\) failed: EACCES/],
  ["no permission", { failWith: new SystemCallError("setns", "x", "EPERM") }, /setns\(x\) failed: EPERM/],
])("unknown: %s", (_, scene, reason) => {
  expect(factsOf(scene).namespace).toEqual({ seen: "unknown", reason: expect.stringMatching(reason) });
});

test("the same cookie is believed wherever it is read", () => {
  expect(factsOf({ open: here, isBlind: true }).namespace).toEqual({ seen: "namespace", cookie });
  expect(factsOf({ open: here, prepare: inAnotherMountNamespace }).namespace).toEqual({
    seen: "namespace",
    cookie,
  });
});

test.each([
  ["/run/netns", "41 22 0:24 /netns /run/netns rw master:5 - tmpfs tmpfs rw"],
  ["/run/my ns", "41 22 0:24 / /run/my\\040ns rw - tmpfs tmpfs rw"],
])("in a container the folder %s is the host's when it is a mount point", (folder, line) => {
  const prepare = (tree: FixtureTree): void => {
    inAContainer(tree);
    fs.mkdirSync(join(tree.root, folder), { recursive: true });
    fs.writeFileSync(join(tree.root, "proc/1/mountinfo"), `${line}\n`);
  };
  expect(factsOf({ prepare, owner: { netns: `${folder}/a` } }).namespace).toEqual({ seen: "missing" });
});

test("a bug is thrown, not taken for an owner that can't be seen", () => {
  expect(() => factsOf({ failWith: new TypeError("bug") })).toThrow(TypeError);
});

test("a record of another boot is told", () => {
  expect(factsOf({}).isOfThisBoot).toBe(true);
  expect(factsOf({ bootId: "another" }).isOfThisBoot).toBe(false);
});

test.each<[string, Scene, OwnerFacts["device"]]>([
  ["home", {}, { seen: "home", netdev: "ens1f0v1" }],
  [
    "home under another name",
    { after: (tree) => (tree.moveAway(address), tree.bringHome(address, "net1")) },
    { seen: "home", netdev: "net1" },
  ],
  ["away", { after: (tree) => void tree.moveAway(address) }, { seen: "away" }],
  [
    "without a network driver",
    { open: here, after: (tree) => tree.setDriver(address, "vfio-pci") },
    { seen: "noNetdev" },
  ],
  [
    "without a network driver, while the namespace is missing from a folder that nothing tells to be the host's",
    { after: (tree) => tree.setDriver(address, "vfio-pci") },
    { seen: "noNetdev", doubt: "no namespace is mounted in /run/netns, which is no mount point" },
  ],
  [
    "without a network driver, while not every process is seen",
    {
      prepare: (tree) => {
        inAContainer(tree);
        fs.writeFileSync(join(tree.root, "proc/1/mountinfo"), "41 22 0:24 /netns /run/netns rw - tmpfs\n");
      },
      after: (tree) => tree.setDriver(address, "vfio-pci"),
    },
    { seen: "noNetdev", doubt: "not every process of the node is seen from here" },
  ],
  ["gone", { after: (tree) => tree.setNumVfs("0000:01:00.0", 0) }, { seen: "gone" }],
  [
    "another VF at the same address",
    { after: (tree) => (tree.setNumVfs("0000:01:00.0", 0), tree.setNumVfs("0000:01:00.0", 7)) },
    { seen: "gone" },
  ],
  [
    "unknown from another network namespace",
    { after: (tree) => relink(tree, "proc/self/ns/net", "net:[4026532888]") },
    { seen: "unknown", reason: "this process is not in the host's network namespace" },
  ],
])("the VF is %s", (_, scene, device) => {
  expect(factsOf(scene).device).toEqual(device);
});
