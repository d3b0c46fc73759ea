// Settings that the driver of a PF does not report: ADD refuses them before anything is changed, CHECK passes them over.

import { expect, test } from "vitest";

import { watchChanges } from "../../support/change-calls.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { createUserspaceNode } from "../../support/userspace-node.ts";
import { withReportedVfs } from "../../support/unreported-vfs.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };

function makeNode(): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2, driver: "ice" }]);
  node.addNetns("web-1");
  return node;
}

const unsupported = (names: string): object => ({
  code: 102,
  msg: `ERR_VF_UNSUPPORTED: step "claim": the driver of this PF does not report ${names}: it could be neither checked nor put back`,
});

test.each([
  [{ mac: "02:00:00:00:aa:01", vlan: 100, vlanQoS: 3 }, "vlan, vlanQoS"],
  [{ spoofchk: "off" }, "spoofchk"],
  [{ trust: "on" }, "trust"],
  [{ link_state: "enable" }, "link_state"],
  [{ min_tx_rate: 10, max_tx_rate: 100 }, "min_tx_rate, max_tx_rate"],
])(
  "%o at a PF whose driver reports no VFs, as virtio's, is error 102, and nothing is changed",
  async (keys, names) => {
    using node = makeNode();
    const before = node.toText();
    const { host, listChanges } = watchChanges(withReportedVfs(node.host, () => undefined));
    expect((await callCni(host, { ...config, ...keys })).json).toMatchObject(unsupported(names));
    expect(listChanges()).toEqual([]);
    expect(node.toText()).toBe(before);
  },
);

test.each([
  ["has already", [1], {}],
  ["gets from the network", [], { driver: "vfio-pci" }],
])("a MAC for a VF of vfio-pci, which it %s, is not passed over there", async (_how, userspace, keys) => {
  using node = createUserspaceNode(userspace);
  const before = node.toText();
  const { host, listChanges } = watchChanges(withReportedVfs(node.host, () => undefined));
  const wanted = { ...config, ...keys, mac: "02:00:00:00:aa:01" };
  expect((await callCni(host, wanted)).json).toMatchObject(unsupported("mac"));
  expect(listChanges()).toEqual([]);
  expect(node.toText()).toBe(before);
});

test.each([
  [{ trust: "on" }, "trust"],
  [{ spoofchk: "off" }, "spoofchk"],
  [{ link_state: "enable" }, "link_state"],
  [{ max_tx_rate: 100 }, "min_tx_rate, max_tx_rate"],
])(
  "%o at a PF whose driver reports VLAN and MAC alone is error 102, and nothing is changed",
  async (keys, names) => {
    using node = makeNode();
    const before = node.toText();
    const unreported = {
      trust: undefined,
      spoofchk: undefined,
      linkState: undefined,
      minTxRateMbps: undefined,
    };
    const silent = withReportedVfs(node.host, (info) => ({ ...info, ...unreported }));
    const { host, listChanges } = watchChanges(silent);
    const wanted = { ...config, ...keys, vlan: 100, mac: "02:00:00:00:aa:01" };
    expect((await callCni(host, wanted)).json).toMatchObject(unsupported(names));
    expect(listChanges()).toEqual([]);
    expect(node.toText()).toBe(before);
  },
);

test.each([
  ["never told", undefined],
  ["told at ADD, and tells no more", 200],
])("rates that the driver %s are no difference for CHECK", async (_title, max_tx_rate) => {
  using node = makeNode();
  const silent = withReportedVfs(node.host, (info) => ({
    ...info,
    minTxRateMbps: undefined,
    maxTxRateMbps: undefined,
  }));
  const wanted = { ...config, trust: "on", max_tx_rate };
  const { exitCode, json } = await callCni(max_tx_rate === undefined ? silent : node.host, wanted);
  expect(exitCode).toBe(0);
  const later = { ...wanted, prevResult: json };
  expect(await callCni(silent, later, { command: "CHECK" })).toMatchObject({ exitCode: 0 });
  using home = node.host.openNetlink();
  home.setVf(home.getLink({ name: "ens1f0" })?.index ?? 0, 1, { set: "trust", value: false });
  expect((await callCni(silent, later, { command: "CHECK" })).json?.["msg"]).toMatch(
    /net1: trust: expected on, got off$/,
  );
});
