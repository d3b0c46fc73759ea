// Names that are taken in the pod when its VF comes: the kernel's move is not atomic there, and ADD leaves everything as it was.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { addLink } from "../../support/fake-host-kernel.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const settings = { vlan: 100, mac: "02:aa:bb:cc:dd:01", mtu: 9000, spoofchk: "off" };
const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  ipam,
  ...settings,
};

function makeNode(): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  return node;
}

/** An interface of another plugin, or of the pod itself. */
function addToPod({ kernel }: FakeHost, name: string): void {
  const link = addLink(kernel, { name, mac: "02:00:00:00:ee:01" });
  kernel.host.links.delete(link.index);
  kernel.mounted.get("/run/netns/web-1")?.links.set(link.index, link);
}

/** The host, where the pod gets an interface called `name` just before the VF is moved there. */
function withLateLink(node: FakeHost, name: string): Host {
  const openNetlink: Host["openNetlink"] = (netns) => {
    const netlink = node.host.openNetlink(netns);
    return {
      ...netlink,
      moveLink: (...args) => {
        if (node.kernel.moves === 0) addToPod(node, name);
        netlink.moveLink(...args);
      },
    };
  };
  return { ...node.host, openNetlink };
}

test("a name that is taken after it was looked at: the VF has moved already, and comes home as it was", async () => {
  using node = makeNode();
  const before = node.toText();
  const { json } = await callCni(withLateLink(node, "net1"), config);
  expect(json).toMatchObject({
    code: 5,
    msg: expect.stringMatching(/^ERR_NETLINK: step "move": .*EEXIST$/) as string,
  });
  expect(node.kernel.moves).toBe(2);
  expect(node.toText()).toBe(`${before}\n  net1 virtual mac 02:00:00:00:ee:01 mtu 1500 down`);
});

test("an altname of the VF that is taken in the pod: the VF does not move, and its settings are undone", async () => {
  using node = makeNode();
  addToPod(node, "enp0s0v1");
  const before = node.toText();
  expect(before).toContain("altnames enp0s0v1");
  const { json } = await callCni(node.host, config);
  expect(json).toMatchObject({
    code: 5,
    msg: expect.stringMatching(/^ERR_NETLINK: step "move": .*EEXIST$/) as string,
  });
  expect(node.kernel.moves).toBe(0);
  expect(node.toText()).toBe(before);
});

test("the VF's name on the host may be taken in the pod: it never has it there", async () => {
  using node = makeNode();
  addToPod(node, "ens1f0v1");
  const before = node.toText();
  expect(await callCni(node.host, config)).toMatchObject({
    exitCode: 0,
    json: { interfaces: [{ name: "net1" }] },
  });
  expect(node.kernel.moves).toBe(1);
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});
