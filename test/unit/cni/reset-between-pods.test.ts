// resetBetweenPods: the VF's hardware is reset after each pod, on the host and down, whatever driver has it.

import * as fs from "node:fs";
import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const address = "0000:3b:02.1";
const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: address,
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
  resetBetweenPods: true,
};

function makeNode(userspace: readonly number[] = []): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2, userspace }]);
  node.addNetns("web-1");
  return node;
}

test.each([{ userspace: [] }, { userspace: [1] }])(
  "DEL resets the VF, once, and leaves it as it was: $userspace",
  async ({ userspace }) => {
    using node = makeNode(userspace);
    const before = node.toText();
    expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
    expect(node.kernel.resets).toEqual([]);
    for (const _again of [1, 2]) {
      expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
      expect(node.kernel.resets).toEqual([address]);
      await node.clock.advance(1000);
      expect(node.toText()).toBe(before);
    }
  },
);

test("the VF is on the host and down when its driver lets go of it, and what the reset lost at the PF is put back", async () => {
  using node = makeNode();
  using home = node.host.openNetlink();
  const pf = home.getLink({ name: "ens1f0" })?.index ?? 0;
  home.setVf(pf, 1, { set: "vlan", vlan: 42, qos: 1, vlanProto: "802.1q" });
  home.setVf(pf, 1, { set: "trust", value: true });
  const before = node.toText();
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  const seen: unknown[] = [];
  const writeText: typeof node.host.files.writeText = (path, text) => {
    const link = home.listLinks().find(({ parentDevice }) => parentDevice === address);
    if (path.endsWith("/unbind")) seen.push(["unbind", link?.isUp]);
    node.host.files.writeText(path, text);
    if (!path.endsWith("/reset")) return;
    seen.push(["reset", link?.isUp]);
    home.setVf(pf, 1, { set: "vlan", vlan: 0, qos: 0, vlanProto: "802.1q" });
    home.setVf(pf, 1, { set: "trust", value: false });
  };
  const host = { ...node.host, files: { ...node.host.files, writeText } };
  expect(await callCni(host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(seen).toEqual([
    ["unbind", false],
    ["reset", undefined],
  ]);
  await node.clock.advance(1000);
  expect(node.toText()).toBe(before);
});

test("a pod whose namespace is gone: the VF is reset when the kernel has brought it back", async () => {
  using node = makeNode();
  const before = node.toText().replace("\n/run/netns/web-1", "");
  await callCni(node.host, config);
  node.removeNetns("web-1", 500);
  expect(await callCni(node.host, config, { command: "DEL", netns: "" })).toMatchObject({ exitCode: 0 });
  expect(node.kernel.resets).toEqual([address]);
  expect(node.toText()).toBe(before);
});

test("without the key nothing is reset", async () => {
  using node = makeNode();
  const { resetBetweenPods: _without, ...plain } = config;
  await callCni(node.host, plain);
  await callCni(node.host, plain, { command: "DEL" });
  expect(node.kernel.resets).toEqual([]);
});

test("a VF that cannot be reset by itself is refused before anything is changed", async () => {
  using node = makeNode();
  fs.rmSync(`${node.host.paths.sys}/bus/pci/devices/${address}/reset`);
  const before = node.toText();
  const { json } = await callCni(node.host, config);
  expect(json).toMatchObject({ code: 102, msg: expect.stringContaining("ERR_VF_RESET") as string });
  expect(node.toText()).toBe(before);
});

test("a reset that fails keeps the VF from other pods, and DEL goes on from there", async () => {
  using node = makeNode();
  const before = node.toText();
  await callCni(node.host, config);
  let failures = 1;
  const files: typeof node.host.files = {
    ...node.host.files,
    writeText: (path, text) => {
      if (path.endsWith("/reset") && failures-- > 0) throw new SystemCallError("write", path, "ENOTTY");
      node.host.files.writeText(path, text);
    },
  };
  const host = { ...node.host, files };
  const failed = await callCni(host, config, { command: "DEL" });
  expect(failed).toMatchObject({
    exitCode: 1,
    json: { code: 102, msg: expect.stringContaining(`resetting ${address}`) as string },
  });
  expect((await callCni(host, config, { containerId: "c2" })).json).toMatchObject({ code: 11 });
  expect(await callCni(host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});
