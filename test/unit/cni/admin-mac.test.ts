// The MAC that a PF gives to its VF: it is as it was after DEL, with the VF's own, whatever the driver makes of the two.

import { expect, test } from "vitest";

import { NetlinkError } from "../../../host/errors.ts";
import { createPodNode } from "../../support/attached-node.ts";
import { callCni } from "../../support/cni-call.ts";
import { withReportedVfs } from "../../support/unreported-vfs.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
  mtu: 9000,
};
const done = { exitCode: 0, json: undefined };

function errnoOf(change: () => void): string | undefined {
  try {
    change();
    return undefined;
  } catch (error) {
    return error instanceof NetlinkError ? error.errno : String(error);
  }
}

test.each([true, false])(
  "an admin MAC is there afterwards exactly when it was there before (%j)",
  async (hadOne) => {
    using node = createPodNode();
    using netlink = node.host.openNetlink();
    const pf = netlink.getLink({ name: "ens1f0" })?.index ?? 0;
    const vf = netlink.getLink({ name: "ens1f0v1" })?.index ?? 0;
    if (hadOne) netlink.setVf(pf, 1, { set: "mac", mac: "02:00:00:00:00:01" });
    const before = node.toText();
    expect((await callCni(node.host, config)).json).toMatchObject({ interfaces: [{ mac: config.mac }] });
    expect(node.toText()).toContain(`vf 1 mac ${config.mac} admin`);
    await callCni(node.host, config, { command: "DEL" });
    expect(node.toText()).toBe(before);
    const change = (): void => netlink.setLink(vf, { set: "mac", value: "02:00:00:00:00:99" });
    expect(errnoOf(change)).toBe(hadOne ? "EADDRNOTAVAIL" : undefined);
  },
);

test.each(["02:00:00:00:00:01", "00:00:00:00:00:00", config.mac])(
  "so it is with a driver that neither forces an admin MAC on a VF nor reports the VF's own, as mlx5 (%s)",
  async (mac) => {
    using node = createPodNode();
    const links = [...node.kernel.host.links.values()];
    Object.assign(links.find(({ name }) => name === "ens1f0v1") ?? {}, { pfSide: undefined });
    using netlink = node.host.openNetlink();
    netlink.setVf(netlink.getLink({ name: "ens1f0" })?.index ?? 0, 1, { set: "mac", mac });
    const before = node.toText();
    expect((await callCni(node.host, config)).json).toMatchObject({ interfaces: [{ mac: config.mac }] });
    expect(node.toText()).toContain(`vf 1 mac ${config.mac} admin`);
    expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
    expect(node.toText()).toBe(before);
  },
);

test("a PF that forgets the VF's own MAC where that changes, as i40e, had no admin MAC", async () => {
  using node = createPodNode();
  const before = node.toText();
  const none = "00:00:00:00:00:00";
  const isAdmin = (): boolean => node.toText().includes(`vf 1 mac ${config.mac} admin`);
  const host = withReportedVfs(node.host, (info) =>
    info.mac === config.mac && !isAdmin() ? { ...info, mac: none } : info,
  );
  expect(await callCni(host, config)).toMatchObject({ exitCode: 0 });
  const record = node.host.files.readText(`${node.host.paths.attachments}/0000:3b:02.1.json`) ?? "";
  expect(JSON.parse(record)).toMatchObject({ original: { adminMac: none } });
  expect(await callCni(host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test.each([{}, { mac: config.mac }])(
  "a VF that had not taken its admin MAC yet, and may have no other, takes it (%j)",
  async (keys) => {
    using node = createPodNode();
    using netlink = node.host.openNetlink();
    const pf = netlink.getLink({ name: "ens1f0" })?.index ?? 0;
    netlink.setVf(pf, 1, { set: "mac", mac: "02:00:00:00:00:77" });
    const { mac: _mac, ...plain } = config;
    expect(await callCni(node.host, { ...plain, ...keys })).toMatchObject({ exitCode: 0 });
    expect(await callCni(node.host, plain, { command: "DEL" })).toMatchObject(done);
    expect(node.toText()).toContain("ens1f0v1 0000:3b:02.1 mac 02:00:00:00:00:77 mtu 1500 down");
    expect(node.toText()).toContain("ens1f0 vf 1 mac 02:00:00:00:00:77 admin vlan 0");
  },
);

test("a trusted VF whose MAC needs no trust gets it back before trust, for which some drivers reset the VF (ixgbe, i40e)", async () => {
  using node = createPodNode();
  using netlink = node.host.openNetlink();
  const pf = netlink.getLink({ name: "ens1f0" })?.index ?? 0;
  netlink.setVf(pf, 1, { set: "trust", value: true });
  netlink.setVf(pf, 1, { set: "mac", mac: "02:00:00:00:00:01" });
  const before = node.toText();
  const untrusted = { ...config, trust: "off" };
  expect(await callCni(node.host, untrusted)).toMatchObject({ exitCode: 0 });
  let isReset = false;
  const openNetlink: typeof node.host.openNetlink = (netns) => {
    const opened = node.host.openNetlink(netns);
    return {
      ...opened,
      setVf: (index, vf, change) => {
        isReset ||= change.set === "trust";
        opened.setVf(index, vf, change);
      },
      setLink: (index, change) => {
        if (isReset && change.set === "mac") throw new NetlinkError("set the MAC", "EAGAIN");
        opened.setLink(index, change);
      },
    };
  };
  expect(await callCni({ ...node.host, openNetlink }, untrusted, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("a trusted VF with another MAC than its admin MAC gets both back from a network without trust", async () => {
  using node = createPodNode();
  using netlink = node.host.openNetlink();
  const pf = netlink.getLink({ name: "ens1f0" })?.index ?? 0;
  netlink.setVf(pf, 1, { set: "trust", value: true });
  netlink.setVf(pf, 1, { set: "mac", mac: "02:00:00:00:00:77" });
  const before = node.toText();
  const { mac: _mac, ...plain } = config;
  const untrusted = { ...plain, trust: "off" };
  expect(await callCni(node.host, untrusted)).toMatchObject({ exitCode: 0 });
  expect(await callCni(node.host, untrusted, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
});
