// CNI_NETNS that is the namespace which the plugin itself runs in.

import { expect, test } from "vitest";

import type { NetnsHandle } from "../../../host/netns.ts";
import { createAttachedNode } from "../../support/attached-node.ts";
import { callCni } from "../../support/cni-call.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  ipam,
};
const done = { exitCode: 0, json: undefined };
const ownNetns = "/proc/1/ns/net";

test.each<[string | undefined, number | undefined]>([
  [undefined, 8],
  ["", 8],
  ["0", 8],
  ["FALSE", 8],
  ["1", undefined],
  ["TRUE", undefined],
  ["true", undefined],
])(
  "DEL with the host's own namespace gives everything back; with CNI_NETNS_OVERRIDE=%s its error is %s",
  async (override, code) => {
    const { node, before } = await createAttachedNode(config);
    using _node = node;
    const call = { command: "DEL", netns: ownNetns, ...(override === undefined ? {} : { override }) };
    for (const _again of [1, 2]) {
      const answer = await callCni(node.host, config, call);
      expect(answer.json?.["code"]).toBe(code);
      expect(answer.json?.["msg"] ?? "").toMatch(
        code === undefined ? /^$/ : /the host's own.*CNI_NETNS_OVERRIDE/,
      );
      expect(node.toText()).toBe(before);
    }
    const netns = node.ipam.calls.map(({ env }) => `${env["CNI_COMMAND"]} ${env["CNI_NETNS"]}`);
    expect(netns).toEqual(["ADD /run/netns/web-1", "DEL /run/netns/web-1", "DEL "]);
  },
);

test("a VF on the host under the pod's name is not the pod's where CNI_NETNS is the host's own", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.removeNetns("web-1");
  node.host.files.remove(`${node.host.paths.attachments}/${config.deviceID}.json`);
  const before = node.toText();
  expect(before).toContain("  net1 0000:3b:02.1 ");
  const call = { command: "DEL", netns: ownNetns, override: "1" };
  expect(await callCni(node.host, config, call)).toMatchObject(done);
  expect(node.toText()).toBe(before.replace(/\nlease .*/, ""));
});

test("DEL that runs inside the pod's namespace is error 8 and changes nothing, whatever CNI_NETNS_OVERRIDE says", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  const before = node.toText();
  const own = (): NetnsHandle => {
    const netns = node.host.namespaces.open("/run/netns/web-1");
    if (netns === undefined) throw new Error("there is no namespace");
    return netns;
  };
  const host = { ...node.host, namespaces: { ...node.host.namespaces, own } };
  const answer = await callCni(host, config, { command: "DEL", override: "1" });
  expect(answer.json).toMatchObject({
    code: 8,
    msg: expect.stringContaining("runs in the namespace of the pod") as string,
  });
  expect(node.toText()).toBe(before);
});
