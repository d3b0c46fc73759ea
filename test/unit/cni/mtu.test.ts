// The MTU that a network asks for: drivers differ in what they make of one that is larger than the PF's.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", mtu: 9000 };

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  return node;
}

/** The host with a driver that takes any MTU, and sets at most `mostMtu` without a word. */
function withCut(host: Host, mostMtu: number): Host {
  const openNetlink: Host["openNetlink"] = (netns) => {
    const netlink = host.openNetlink(netns);
    return {
      ...netlink,
      setLink: (index, change) =>
        netlink.setLink(
          index,
          change.set === "mtu" ? { ...change, value: Math.min(change.value, mostMtu) } : change,
        ),
    };
  };
  return { ...host, openNetlink };
}

test("a driver that takes it has it, with a warning", async () => {
  using node = makeNode();
  const before = node.toText();
  const { json, stderr } = await callCni(node.host, config);
  expect(json).toMatchObject({ interfaces: [{ name: "net1", mtu: 9000 }] });
  expect(stderr).toContain("the MTU is larger than the PF's");
  await callCni(node.host, config, { command: "DEL" });
  expect(node.toText()).toBe(before);
});

test("a driver that sets less is an error with both numbers, and all is as before", async () => {
  using node = makeNode();
  const before = node.toText();
  const { json } = await callCni(withCut(node.host, 1500), { ...config, mtu: 9000 });
  expect(json?.["msg"]).toMatch(
    /^ERR_VF_STEP: step "MTU": setting mtu 9000 on the VF: reading back the MTU of net1: expected 9000, got 1500$/,
  );
  expect(node.toText()).toBe(before);
  const fits = await callCni(withCut(node.host, 4000), { ...config, mtu: 4000 });
  expect(fits.json).toMatchObject({ interfaces: [{ mtu: 4000 }] });
});

test("a driver that refuses it is an error with the kernel's answer, and all is as before", async () => {
  using node = makeNode();
  const before = node.toText();
  const { json } = await callCni(node.host, { ...config, mtu: 9217 });
  expect(json?.["msg"]).toMatch(/^ERR_VF_STEP: step "MTU": setting mtu 9217 on the VF: .*EINVAL/);
  expect(node.toText()).toBe(before);
});
