// What is wrong with a chained entry, or with the node's records, fails the pods that have VFs, and no other. ADD and STATUS: status.test.ts.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { callCni, type TestAnswer } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const chained = { cniVersion: "1.0.0", name: "cluster", type: "virtfn" };
const first = { cniVersion: "1.0.0", interfaces: [{ name: "eth0", sandbox: "/run/netns/web-1" }] };
const fine = { exitCode: 0, json: undefined };

/** The node's host, with records that cannot be listed. */
function withoutRecords({ host }: FakeHost): Host {
  const { files, paths } = host;
  const list: typeof files.list = (path) => {
    if (path === paths.attachments) throw new SystemCallError("scandir", path, "EIO");
    return files.list(path);
  };
  return { ...host, files: { ...files, list } };
}

test("CHECK, which CRI-O calls right after ADD, fails no pod without a VF, either", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const wrong = { ...chained, networks: [{ vlanQs: 1 }], prevResult: first };
  const run = async (call: object = {}): Promise<TestAnswer> =>
    callCni(node.host, wrong, { command: "CHECK", ifName: "eth0", ...call });
  node.allocate("uid-other", { app: ["0000:3b:02.0"] });
  expect(await run()).toMatchObject(fine);
  node.allocate("uid-web-1", { app: ["GPU-4f1c"] }, "nvidia.com/gpu");
  expect(await run()).toMatchObject(fine);
  const told = { code: 7, msg: expect.stringContaining("did you mean vlanQoS?") as string };
  expect((await run({ args: "K8S_POD_NAME=web-1" })).json).toMatchObject(told);
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
  expect((await run()).json).toMatchObject(told);
  const right = await callCni(node.host, { ...chained, prevResult: first }, { ifName: "eth0" });
  expect(right).toMatchObject({ exitCode: 0 });
  const later = { ...wrong, prevResult: right.json };
  expect((await callCni(node.host, later, { command: "CHECK", ifName: "eth0" })).json).toMatchObject(told);
});

test("CHECK fails no pod without a VF where the records cannot be listed", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const host = withoutRecords(node);
  const run = async (call: object = {}): Promise<TestAnswer> =>
    callCni(host, { ...chained, prevResult: first }, { command: "CHECK", ifName: "eth0", ...call });
  node.allocate("uid-other", { app: ["0000:3b:02.0"] });
  expect(await run()).toMatchObject(fine);
  const told = { code: 5, msg: expect.stringContaining("EIO") as string };
  expect((await run({ args: "K8S_POD_NAME=web-1" })).json).toMatchObject(told);
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
  expect((await run()).json).toMatchObject(told);
});

const eio = { exitCode: 1, json: { code: 5, msg: expect.stringContaining("EIO") as string } };

test("DEL fails no pod that never had a VF where the records cannot be listed, as its result and the kubelet tell", async () => {
  using node = createFakeHost();
  const run = async (change: object = {}, call: object = {}): Promise<TestAnswer> =>
    callCni(
      withoutRecords(node),
      { ...chained, prevResult: first, ...change },
      { command: "DEL", ifName: "eth0", ...call },
    );
  // Nobody tells which pods have VFs.
  expect(await run()).toMatchObject(eio);
  node.allocate("uid-other", { app: ["0000:3b:02.0"] });
  expect(await run()).toMatchObject(fine);
  expect((await run()).stderr).toContain("EIO");
  node.allocate("uid-web-1", { app: ["GPU-4f1c"] }, "nvidia.com/gpu");
  expect(await run()).toMatchObject(fine);
  const nic = { name: "net1", sandbox: "/run/netns/web-1" };
  for (const change of [
    { prevResult: undefined },
    { prevResult: { ...first, interfaces: [...first.interfaces, nic] } },
    { prevResult: { ...first, interfaces: [{ ...first.interfaces[0], pciID: "0000:3b:02.1" }] } },
    { deviceID: "0000:3b:02.1" },
    { pf: "ens1f0" },
  ])
    expect([change, await run(change)]).toMatchObject([change, eio]);
  expect(await run({}, { args: "K8S_POD_NAME=web-1" })).toMatchObject(eio);
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
  expect(await run()).toMatchObject(eio);
});

test("DEL of the first entry of a list, which gives each pod a VF, fails where the records cannot be listed", async () => {
  using node = createFakeHost();
  node.allocate("uid-other", { app: ["0000:3b:02.0"] });
  const { files, paths } = node.host;
  const plugins = [{ type: "virtfn" }, { type: "portmap" }];
  files.makeFolder(paths.cniConfigs);
  files.writeAtomic(`${paths.cniConfigs}/10-a.conflist`, JSON.stringify({ name: "cluster", plugins }));
  const call = { command: "DEL", ifName: "eth0" };
  expect(await callCni(withoutRecords(node), { ...chained, prevResult: first }, call)).toMatchObject(eio);
});
