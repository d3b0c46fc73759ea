// The short way of ADD: only for a pod that the kubelet gave nothing, and only where nothing else is to be done.

import { expect, test } from "vitest";

import { passOn } from "../../../cni/pass-on.ts";
import { noteReleasedThisBoot } from "../../../sriov/released-boot.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [], "x.y/own": [1] };
const config = { cniVersion: "1.0.0", name: "cluster", type: "virtfn", prevResult };

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  noteReleasedThisBoot(node.host);
  return node;
}

function ask(node: FakeHost, stdin: string, args = podArgs("plain")): string | undefined {
  return passOn(node.host, args, stdin);
}

test("a pod without devices gets the result of the plugin before as it came, whatever else is configured", () => {
  using node = makeNode();
  expect(ask(node, JSON.stringify({ ...config, vlan: "wrong" }))).toBe(JSON.stringify(prevResult));
});

test.each([
  ["no result", { ...config, prevResult: undefined }],
  ["a result of another version", { ...config, prevResult: { ...prevResult, cniVersion: "0.4.0" } }],
  ["a result that is none", { ...config, prevResult: "x" }],
  ["a second result in another case", { PrevResult: prevResult, ...config }],
  ["a version that is not spoken", { ...config, cniVersion: "9.0.0", prevResult: { cniVersion: "9.0.0" } }],
  ["a device", { ...config, deviceID: "0000:3b:02.1" }],
  ["a device in another case", { ...config, PciBusID: "0000:3b:02.1" }],
  ["a device at run time", { ...config, runtimeConfig: { deviceID: "0000:3b:02.1" } }],
  ["a device at run time in another case", { ...config, RuntimeConfig: { deviceid: "0000:3b:02.1" } }],
  ["a PF", { ...config, pf: "ens1f0" }],
  ["a log level", { ...config, logLevel: "debug" }],
])("%s is for the whole of ADD", (_name, input) => {
  using node = makeNode();
  expect(ask(node, JSON.stringify(input))).toBeUndefined();
});

test.each(["", "[]", "null", "{"])("%j is for the whole of ADD", (stdin) => {
  using node = makeNode();
  expect(ask(node, stdin)).toBeUndefined();
});

test("a pod with a device, one without a UID, and the first ADD of a boot take the long way", () => {
  using node = makeNode();
  const stdin = JSON.stringify(config);
  expect(ask(node, stdin, podArgs("web-1"))).toBeUndefined();
  expect(ask(node, stdin, "K8S_POD_NAME=plain")).toBeUndefined();
  expect(ask(node, stdin, "K8S_POD_NAME=plain;K8S_POD_UID=")).toBeUndefined();
  node.clock.reboot();
  expect(ask(node, stdin)).toBeUndefined();
});

test("a checkpoint that is missing or cannot be read takes the long way, which says what is wrong", async () => {
  using node = makeNode();
  const { files, paths } = node.host;
  files.remove(paths.kubelet.checkpoint);
  expect(ask(node, JSON.stringify(config))).toBeUndefined();
  files.makeFolder(paths.kubelet.checkpoint);
  expect(ask(node, JSON.stringify(config))).toBeUndefined();
  expect(await callCni(node.host, config, { args: podArgs("plain"), ifName: "eth0" })).toMatchObject({
    json: { code: 11, msg: expect.stringMatching(/EISDIR.*PodResources/) as string },
  });
});
