// `virtfn provision` as a process, on a node of stand-ins: VFs are made, pods keep theirs, and whatever ended it the next run completes.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";

import { status } from "@grpc/grpc-js";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { createPaths } from "../../../host/paths.ts";
import { createChrootNode } from "../../support/chroot-node.ts";
import { type Executables, compileExecutables } from "../../support/executables.ts";
import { createTestNetns } from "../../support/netns.ts";
import { servePodResources } from "../../support/serve-pod-resources.ts";
import { createStandInNode, type StandInNode } from "../../support/stand-in-node.ts";
import { countStandInVfs } from "../../support/stand-in-vfs.ts";

const entry = "test/support/stand-in-provision-main.ts";
const pf = "pf0 (0000:3b:00.0)";
let executables: Executables;
let node: StandInNode;

beforeAll(async () => {
  executables = await compileExecutables({ provision: entry });
});
afterAll(async () => {
  await executables[Symbol.asyncDispose]();
});
beforeEach(() => {
  node = createStandInNode(2);
  configure("provision: [{pfNames: [pf0], numVfs: 4}]\nresourceList: []\n");
});
afterEach(() => {
  node[Symbol.dispose]();
});

function configure(text: string): void {
  const path = createPaths(node.root).resourceConfig;
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, text);
}

function provision(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const command = ["netns", "exec", node.host.name, executables.path("provision"), node.root, ...args];
  return execa("ip", command, { reject: false, stdin: "ignore", env });
}

/** Names of the VFs' interfaces on the host. */
function vfLinks(): readonly string[] {
  const links = node.host.look("link show").filter(({ ifalias }) => ifalias !== undefined);
  return links.map(({ ifname }) => String(ifname)).filter((name) => name !== "pf0");
}

test("the VFs are made on a PF that is down, each with its interface; the next run finds them so", async () => {
  node.host.ip("link set pf0 down");
  const first = await provision(["--strict"]);
  expect([first.stdout, first.exitCode]).toEqual([`${pf}: bring it up, remove all VFs, make 4 VFs`, 0]);
  expect(vfLinks().toSorted()).toEqual(["pf0v0", "pf0v1", "pf0v2", "pf0v3"]);
  const second = await provision(["--strict"]);
  expect([second.stdout, second.exitCode]).toEqual([`${pf}: as it shall be`, 0]);
});

test("--dry-run tells the plan and changes nothing", async () => {
  const before = node.toText();
  expect((await provision(["--dry-run"])).stdout).toBe(`${pf}: would remove all VFs, make 4 VFs`);
  expect(node.toText()).toBe(before);
});

test("a pod that has a VF keeps it and is named; 1 with --strict, 0 as an init container", async () => {
  using pod = createTestNetns();
  const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };
  const args = "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1;K8S_POD_UID=u1";
  const call = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path, CNI_ARGS: args };
  expect((await node.call("ADD", config, call)).json).toMatchObject({ cniVersion: "1.0.0" });
  const before = node.toText();
  for (const [flags, exitCode] of [
    [[], 0],
    [["--strict"], 1],
    [["--strict", "--dry-run"], 1],
  ] as const) {
    const refused = await provision(flags);
    expect(refused.stdout).toBe(
      `${pf}: ERR_VFS_IN_USE: changing the VFs of pf0: expected none in use, ` +
        "got: pod shop/web-1 has 0000:3b:02.1; the interface of 0000:3b:02.1 is in another network namespace",
    );
    expect([refused.exitCode, refused.stderr]).toEqual([exitCode, ""]);
  }
  expect(node.toText()).toBe(before);
  expect((await node.call("DEL", config, call)).exitCode).toBe(0);
  expect((await provision(["--strict"])).exitCode).toBe(0);
  expect(countStandInVfs(node.root)).toBe(4);
});

function refuse(_call: unknown, done: (error: { code: number }) => void): void {
  done({ code: status.UNIMPLEMENTED });
}

test("a pod that the kubelet gave a VF to, and nothing attached yet, is named by the kubelet", async () => {
  const paths = createPaths(node.root).kubelet;
  const given = { PodUID: "u1", ContainerName: "app", ResourceName: "sriov/vf", AllocResp: "" };
  const entries = [{ ...given, DeviceIDs: { "0": ["0000:3b:02.0"] } }];
  fs.mkdirSync(dirname(paths.checkpoint), { recursive: true });
  fs.writeFileSync(
    paths.checkpoint,
    JSON.stringify({ Data: { PodDeviceEntries: entries, RegisteredDevices: {} }, Checksum: 1 }),
  );
  expect((await provision(["--strict"])).stdout).toContain("a pod has 0000:3b:02.0 of sriov/vf (UID u1;");
  const devices = [{ resourceName: "sriov/vf", deviceIds: ["0000:3b:02.0"], topology: undefined }];
  const container = { name: "app", devices, cpuIds: [], memory: [], dynamicResources: [] };
  const pods = [{ namespace: "shop", name: "web-2", containers: [container] }];
  {
    using _kubelet = await servePodResources(paths.podResourcesSocket, {
      list: (_call, done) => done(null, { podResources: pods }),
      get: refuse,
      getAllocatableResources: refuse,
    });
    expect((await provision(["--strict"])).stdout).toContain("got: pod shop/web-2 has 0000:3b:02.0");
    expect(countStandInVfs(node.root)).toBe(2);
    pods.pop();
    expect((await provision(["--strict"])).exitCode).toBe(0);
  }
  expect(countStandInVfs(node.root)).toBe(4);
});

test.each(["0", "4"])("killed after %s was written, the next run completes", async (count) => {
  const killed = await provision([], { STAND_IN_DIE_AFTER: count });
  expect(killed.signal ?? killed.exitCode).toBe("SIGKILL");
  expect(countStandInVfs(node.root)).toBe(Number(count));
  const next = await provision(["--strict"]);
  expect(next.stdout).toBe(`${pf}: ${count === "0" ? "make 4 VFs" : "as it shall be"}`);
  expect(countStandInVfs(node.root)).toBe(4);
});

test("two at once make the VFs once", async () => {
  const both = await Promise.all([provision(["--strict"]), provision(["--strict"])]);
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(both.map(({ stdout }) => stdout).toSorted()).toEqual([
    `${pf}: as it shall be`,
    `${pf}: remove all VFs, make 4 VFs`,
  ]);
});

test.each<[string, string, string]>([
  [
    "mistakes",
    "provision:\n  - pfNames: [pf0]\n    numVf: 4\n  - numVfs: 1\nresourceList: []\n",
    "2 problems in ",
  ],
  ["no YAML", "provision: [\n", "problem in "],
  [
    "more than the card has",
    "provision: [{pfNames: [pf0], numVfs: 9}]\nresourceList: []\n",
    "expected at most 8",
  ],
])(
  "a configuration with %s is one line that says what, and nothing is changed",
  async (_, text, expected) => {
    configure(text);
    const before = node.toText();
    const { stdout, stderr, exitCode } = await provision(["--strict"]);
    expect(stdout.split("\n")).toHaveLength(1);
    expect(stdout).toMatch(/ERR_(RESOURCE_CONFIG|PROVISION): /);
    expect(stdout).toContain(expected);
    expect([stderr, exitCode, (await provision()).exitCode]).toEqual(["", 1, 0]);
    expect(node.toText()).toBe(before);
  },
);

test("a configuration that is named and not there, or no file, is an error", async () => {
  const missing = join(node.root, "none.yaml");
  const first = await provision(["--strict", "--config-file", missing]);
  expect([first.stdout, first.exitCode]).toEqual([`${missing} is missing`, 1]);
  const second = await provision(["--strict", "--config-file", node.root]);
  expect([second.stdout, second.exitCode]).toEqual([expect.stringContaining("EISDIR"), 1]);
  const pipe = join(node.root, "pipe");
  execFileSync("mkfifo", [pipe]);
  const third = await provision(["--strict", "--config-file", pipe]);
  expect([third.stdout, third.exitCode]).toEqual([expect.stringContaining("which is no regular file"), 1]);
});

test("what ships reads the node's own configuration, and lets the init container's pod go on", async () => {
  using ships = createChrootNode();
  const path = "etc/virtfn/deviceplugin/config.yaml";
  expect((await ships.run("/dist/virtfn provision --strict")).stdout).toBe(
    `nothing to do: /${path} provisions nothing`,
  );
  fs.mkdirSync(dirname(join(ships.root, path)), { recursive: true });
  fs.writeFileSync(join(ships.root, path), "provision: [{pfNames: [pf0], numVf: 4}]\nresourceList: []\n");
  for (const [flags, exitCode] of [
    ["", 0],
    ["--strict", 1],
  ] as const) {
    const told = await ships.run(`/dist/virtfn provision ${flags}`);
    expect([told.stdout, told.stderr, told.exitCode]).toEqual([
      `ERR_RESOURCE_CONFIG: 1 problem in /${path}: line 1: provision[0].numVf: unknown key, did you mean numVfs?`,
      "",
      exitCode,
    ]);
  }
});
