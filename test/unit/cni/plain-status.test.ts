// The short way of STATUS: only a yes, and only where the whole of STATUS says yes without a word.

import { createServer } from "node:net";
import { expect, test } from "vitest";

import { isPlainlyReady } from "../../../cni/plain-status.ts";
import { runCni } from "../../../cni/run.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const plain = { cniVersion: "1.1.0", name: "cluster", type: "virtfn" };

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  return node;
}

/** Whether the whole of STATUS has nothing to say. */
async function isReady({ host }: FakeHost, stdin: string): Promise<boolean> {
  const outcome = await runCni({ environment: { CNI_COMMAND: "STATUS" }, stdin }, () => host);
  return outcome.exitCode === 0 && outcome.stderr === "";
}

test.each([
  plain,
  { cniVersion: "1.1.0", name: "a" },
  { ...plain, capabilities: { mac: true } },
  { ...plain, dns: {}, "cni.dev/x": 1, DisableGC: true },
])("%j is plainly ready", async (config) => {
  using node = makeNode();
  const stdin = JSON.stringify(config);
  expect([isPlainlyReady(node.host, stdin), await isReady(node, stdin)]).toEqual([true, true]);
});

const wrong = [
  { ...plain, cniVersion: "1.0.0" },
  { ...plain, name: "-a" },
  { ...plain, name: undefined },
  { ...plain, type: 1 },
  { ...plain, capabilities: [] },
  { ...plain, vlanQs: 1 },
  { ...plain, Name: "b" },
  [],
  null,
];

test.each([...wrong.map((config) => JSON.stringify(config)), "", "{"])(
  "%s is for the whole of STATUS, which has something to say",
  async (stdin) => {
    using node = makeNode();
    expect([isPlainlyReady(node.host, stdin), await isReady(node, stdin)]).toEqual([false, false]);
  },
);

test.each([
  { networks: [{ vlan: 7 }] },
  { deviceID: "0000:3b:02.1" },
  { pf: "ens1f0" },
  { logLevel: "debug" },
])("%j is for the whole of STATUS", (more) => {
  using node = makeNode();
  expect(isPlainlyReady(node.host, JSON.stringify({ ...plain, ...more }))).toBe(false);
});

const entry = { PodUID: "u", ContainerName: "c", ResourceName: "r", DeviceIDs: { "0": ["d"], "1": null } };
const checkpoints = [
  [true, { Data: { PodDeviceEntries: [{ ...entry, AllocResp: "x" }], RegisteredDevices: { r: ["d"] } } }],
  [true, { Data: { PodDeviceEntries: null, RegisteredDevices: null } }],
  [true, { Data: { PodDeviceEntries: [{ ...entry, DeviceIDs: null }], RegisteredDevices: {} } }],
  [false, {}],
  [false, { Data: {} }],
  [false, { Data: { PodDeviceEntries: null } }],
  [false, { Data: { RegisteredDevices: {} } }],
  [false, { Data: { PodDeviceEntries: {}, RegisteredDevices: {} } }],
  [false, { Data: { PodDeviceEntries: [{ ...entry, PodUID: 1 }], RegisteredDevices: {} } }],
  [false, { Data: { PodDeviceEntries: [{ ...entry, AllocResp: 1 }], RegisteredDevices: {} } }],
  [false, { Data: { PodDeviceEntries: [{ ...entry, DeviceIDs: { "0": [1] } }], RegisteredDevices: {} } }],
  [false, { Data: { PodDeviceEntries: [{ ...entry, DeviceIDs: undefined }], RegisteredDevices: {} } }],
  [false, { Data: { PodDeviceEntries: [null], RegisteredDevices: {} } }],
  [false, { Data: { PodDeviceEntries: null, RegisteredDevices: { r: "d" } } }],
] as const;

test.each(checkpoints)(
  "%s for the checkpoint %j, as of the whole of STATUS",
  async (expected, checkpoint) => {
    using node = makeNode();
    const stdin = JSON.stringify(plain);
    node.host.files.writeAtomic(node.host.paths.kubelet.checkpoint, JSON.stringify(checkpoint));
    expect([isPlainlyReady(node.host, stdin), await isReady(node, stdin)]).toEqual([expected, expected]);
  },
);

test("where the kubelet can be asked its checkpoint does not count", async () => {
  using node = makeNode();
  const { files, paths } = node.host;
  files.writeAtomic(paths.kubelet.checkpoint, "{");
  expect(isPlainlyReady(node.host, JSON.stringify(plain))).toBe(false);
  files.makeFolder(paths.kubelet.podResourcesSocket.replace(/\/[^/]*$/, ""));
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(paths.kubelet.podResourcesSocket, resolve));
  try {
    expect(isPlainlyReady(node.host, JSON.stringify(plain))).toBe(true);
  } finally {
    server.close();
  }
});

test("first in the runtime's list is for the whole of STATUS, as every pod gets a VF", () => {
  using node = makeNode();
  const { files, paths } = node.host;
  files.makeFolder(paths.cniConfigs);
  const write = (...types: readonly string[]): void => {
    const plugins = types.map((type) => ({ type }));
    files.writeAtomic(`${paths.cniConfigs}/10-a.conflist`, JSON.stringify({ name: plain.name, plugins }));
  };
  write("virtfn", "ptp");
  expect(isPlainlyReady(node.host, JSON.stringify(plain))).toBe(false);
  write("ptp", "virtfn");
  expect(isPlainlyReady(node.host, JSON.stringify(plain))).toBe(true);
});
