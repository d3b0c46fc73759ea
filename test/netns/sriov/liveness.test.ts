// Alive or gone with real namespaces: the VF is a folder of a fixture tree, everything else is this kernel. The facts are read
// by a process of its own, in a PID namespace whose process 1 stands for the host's: not every machine lets tests look at its own.

import { execFileSync, spawn } from "node:child_process";
import { resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import type { Attachment } from "../../../sriov/attachment.ts";
import { readVf } from "../../../sriov/inventory.ts";
import { judgeOwner, type OwnerFacts } from "../../../sriov/liveness.ts";
import { machines } from "../../fixtures/machines.ts";
import { sampleAttachment } from "../../support/attachment-arbitrary.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";

const { address } = sampleAttachment.device;
const reader = resolve(import.meta.dirname, "../../support/owner-facts-main.ts");
// The shell stays as process 1 while the reader runs.
const asHost = ["--pid", "--fork", "--mount-proc", "sh", "-c", '"$@"; exit $?', "sh"];
const elsewhere = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run/netns && exec "$@"', "sh"];

let pod: TestNetns;
let tree: FixtureTree;
let record: Attachment;

beforeEach(() => {
  pod = createTestNetns();
  tree = createFixtureTree(machines.igb);
  const { namespaces, clock } = createHost();
  using handle = namespaces.open(pod.path);
  record = {
    ...sampleAttachment,
    bootId: clock.bootId(),
    owner: { ...sampleAttachment.owner, netns: `/var${pod.path}`, cookie: String(handle?.cookie) },
    device: { ...sampleAttachment.device, inode: String(readVf(tree.host, address)?.inode) },
  };
  tree.moveAway(address);
});

afterEach(() => {
  pod[Symbol.dispose]();
  tree[Symbol.dispose]();
});

/** The facts as the host sees them, or a process that has another /run/netns than the host. */
function readFacts(hostRoot: string, from: "host" | "elsewhere" = "host"): OwnerFacts {
  const read = [process.execPath, reader, JSON.stringify(record), tree.host.paths.sys, hostRoot];
  const args = [...asHost, ...(from === "host" ? [] : elsewhere), ...read];
  return JSON.parse(execFileSync("unshare", args, { encoding: "utf8" })) as OwnerFacts;
}

function verdict(hostRoot = "/"): string {
  const { state, isDying, reason } = judgeOwner(readFacts(hostRoot));
  return `${state}${isDying ? " (dying)" : ""}: ${reason.replaceAll(pod.name, "POD")}`;
}

test.each(["/", "/proc/1/root"])("the life of an owner, seen from %s", (hostRoot) => {
  expect(verdict(hostRoot)).toBe("alive: its namespace /var/run/netns/POD exists");
  pod[Symbol.dispose]();
  expect(verdict(hostRoot)).toBe(
    "alive (dying): its namespace /var/run/netns/POD is missing, but the VF is not back on the host yet",
  );
  tree.bringHome(address, "net1");
  expect(verdict(hostRoot)).toBe(
    "gone: its namespace /var/run/netns/POD is missing and the VF is on the host as net1",
  );
});

test("a namespace of the same name is not the owner's", () => {
  pod[Symbol.dispose]();
  execFileSync("ip", ["netns", "add", pod.name]);
  tree.bringHome(address, "net1");
  expect(verdict()).toBe(
    "gone: /var/run/netns/POD is another namespace now and the VF is on the host as net1",
  );
});

test("a process that holds the namespace after its name went keeps the owner alive as long as it has the VF", async () => {
  const child = spawn("ip", ["netns", "exec", pod.name, "sh", "-c", "echo ready; read line"]);
  await new Promise((ready) => child.stdout.once("data", ready));
  pod[Symbol.dispose]();
  expect(verdict()).toMatch(/^alive \(dying\)/);
  const exited = new Promise((done) => child.once("exit", done));
  child.stdin.end();
  await exited;
  tree.bringHome(address, "net1");
  expect(verdict()).toMatch(/^gone/);
});

test("the path of a process that is not there tells nothing", () => {
  tree.bringHome(address, "net1");
  record = { ...record, owner: { ...record.owner, netns: "/proc/999999999/ns/net" } };
  expect(judgeOwner(readFacts("/")).state).toBe("alive");
});

test("where /run/netns is another folder the owner is alive; through process 1's root the truth is seen", () => {
  tree.bringHome(address, "net1");
  const hidden = { seen: "unknown", reason: "it is not read in the host's mount namespace" };
  expect(readFacts("/", "elsewhere").namespace).toEqual(hidden);
  expect(readFacts("/proc/1/root", "elsewhere").namespace).toEqual({
    seen: "namespace",
    cookie: record.owner.cookie,
  });
  pod[Symbol.dispose]();
  expect(readFacts("/", "elsewhere").namespace).toEqual(hidden);
  expect(readFacts("/proc/1/root", "elsewhere").namespace).toEqual({ seen: "missing" });
});
