// What is wrong with a chained entry, or with the node's records, fails the pods that have VFs, and no other. ADD and STATUS: status.test.ts.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { callCni, type TestAnswer } from "../../support/cni-call.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const chained = { cniVersion: "1.0.0", name: "cluster", type: "virtfn" };
const first = { cniVersion: "1.0.0", interfaces: [{ name: "eth0", sandbox: "/run/netns/web-1" }] };
const fine = { exitCode: 0, json: undefined };

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
  const { files, paths } = node.host;
  const list: typeof files.list = (path) => {
    if (path === paths.attachments) throw new SystemCallError("scandir", path, "EIO");
    return files.list(path);
  };
  const host = { ...node.host, files: { ...files, list } };
  const run = async (call: object = {}): Promise<TestAnswer> =>
    callCni(host, { ...chained, prevResult: first }, { command: "CHECK", ifName: "eth0", ...call });
  node.allocate("uid-other", { app: ["0000:3b:02.0"] });
  expect(await run()).toMatchObject(fine);
  const told = { code: 5, msg: expect.stringContaining("EIO") as string };
  expect((await run({ args: "K8S_POD_NAME=web-1" })).json).toMatchObject(told);
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
  expect((await run()).json).toMatchObject(told);
});
