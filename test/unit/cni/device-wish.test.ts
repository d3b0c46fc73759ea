// A device that runtimeConfig alone names: Multus hands on so what a pod asks for in its annotation.

import { expect, test } from "vitest";

import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  runtimeConfig: { deviceID: "0000:3b:02.1" },
};

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  return node;
}

// Older ones tell no UID.
test.each([podArgs("web-1"), "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1;K8S_POD_UID="])(
  "a pod gets none that the kubelet does not hand out: %s",
  async (args) => {
    using node = makeNode();
    const before = node.toText();
    const words =
      /^ERR_NOT_ALLOCATED: .*refusing to give 0000:3b:02\.1 to .* as net1: runtimeConfig alone names it/;
    expect((await callCni(node.host, config, { args })).json).toMatchObject({
      code: 7,
      msg: expect.stringMatching(words) as string,
    });
    expect(node.toText()).toBe(before);
    expect(await callCni(node.host, config, { args, command: "DEL" })).toMatchObject({ exitCode: 0 });
    expect(node.toText()).toBe(before);
  },
);

test("it gets the one that the kubelet gave to it, and one that the network names, too", async () => {
  using node = makeNode();
  expect(await callCni(node.host, { ...config, deviceID: "0000:3b:02.1" })).toMatchObject({ exitCode: 0 });
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
});

test("outside of Kubernetes it is whoever starts the container that names it there", async () => {
  using node = makeNode();
  expect(await callCni(node.host, config, { args: "IgnoreUnknown=1" })).toMatchObject({ exitCode: 0 });
});
