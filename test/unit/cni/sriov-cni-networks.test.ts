// Networks as people write them for sriov-cni, as its operator and Multus hand them over: each works as it stands, with the same meaning.

import { expect, test } from "vitest";

import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const address = parsePciAddress("0000:3b:02.1");
// Multus puts it into every network.
const chosen = { deviceID: address, pciBusID: address };
const plain = "vlan 0 qos 0 802.1q spoof on trust off state auto rate 0-0";
const own = "mac 02:00:00:00:00:01";

interface Row {
  readonly name: string;
  readonly network: object;
  /** Of the PF's line of the VF. */
  readonly side: string;
  readonly args?: string;
  readonly isUserspace?: boolean;
}

const rows: readonly Row[] = [
  {
    name: "a VLAN and an address",
    network: {
      cniVersion: "0.3.1",
      name: "sriov-net",
      type: "sriov",
      vlan: 2222,
      ipam: {
        type: "host-local",
        subnet: "192.0.2.0/24",
        rangeStart: "192.0.2.171",
        rangeEnd: "192.0.2.181",
        routes: [{ dst: "0.0.0.0/0" }],
        gateway: "192.0.2.1",
      },
    },
    side: `${own} vlan 2222 qos 0 802.1q spoof on trust off state auto rate 0-0`,
  },
  {
    name: "every key",
    network: {
      cniVersion: "0.3.1",
      name: "sriov-all",
      type: "sriov",
      mac: "CA:FE:C0:FF:EE:00",
      vlan: 1000,
      vlanQoS: 4,
      vlanProto: "802.1ad",
      min_tx_rate: 100,
      max_tx_rate: 200,
      spoofchk: "off",
      trust: "on",
      link_state: "enable",
      logLevel: "verbose",
      logFile: "/var/log/sriov.log",
    },
    side: "mac ca:fe:c0:ff:ee:00 admin vlan 1000 qos 4 802.1ad spoof off trust on state enable rate 100-200",
  },
  {
    name: "what sriov-network-operator makes of an SriovNetwork: every key, most of them saying nothing",
    network: {
      cniVersion: "1.0.0",
      name: "sriov-operator",
      type: "sriov",
      vlan: 0,
      spoofchk: "on",
      trust: "off",
      vlanQoS: 0,
      vlanProto: "802.1q",
      link_state: "auto",
      max_tx_rate: 0,
      min_tx_rate: 0,
      capabilities: { mac: true, ips: true },
      logLevel: "info",
      logFile: "",
      ipam: {},
    },
    side: `${own} ${plain}`,
  },
  {
    name: "keys in another case",
    network: { cniVersion: "0.4.0", name: "n", type: "sriov", Vlan: 5, vlanQos: 2, VlanProto: "802.1Q" },
    side: `${own} vlan 5 qos 2 802.1q spoof on trust off state auto rate 0-0`,
  },
  {
    name: "the MAC that the pod's annotation asks Multus for, before that of CNI_ARGS and of the network",
    network: {
      cniVersion: "1.0.0",
      name: "n",
      type: "sriov",
      mac: "02:aa:bb:cc:dd:03",
      runtimeConfig: { mac: "02:AA:BB:CC:DD:01", deviceID: address },
    },
    args: ";MAC=02:aa:bb:cc:dd:02",
    side: `mac 02:aa:bb:cc:dd:01 admin ${plain}`,
  },
  {
    name: "the MAC of CNI_ARGS, before that of the network, where the runtime hands over an empty one",
    network: {
      cniVersion: "1.0.0",
      name: "n",
      type: "sriov",
      mac: "02:aa:bb:cc:dd:03",
      runtimeConfig: { mac: "" },
    },
    args: ";MAC=02:aa:bb:cc:dd:02",
    side: `mac 02:aa:bb:cc:dd:02 admin ${plain}`,
  },
  {
    name: "a VF of vfio-pci",
    network: { cniVersion: "0.3.1", name: "sriov-dpdk", type: "sriov", vlan: 1000 },
    isUserspace: true,
    side: "vlan 1000 qos 0 802.1q spoof on trust off state auto rate 0-0",
  },
];

function makeNode({ isUserspace = false }: Row): FakeHost {
  const userspace = isUserspace ? [1] : [];
  const node = createFakeHost([
    { name: "ens1f0", address: "0000:3b:00.0", vfs: 2, driver: "ice", userspace },
  ]);
  node.addNetns("web-1");
  node.host.files.makeFolder(node.host.paths.logs);
  return node;
}

test.each(rows)("$name", async (row) => {
  using node = makeNode(row);
  const before = node.toText();
  const { cniVersion } = row.network as { readonly cniVersion: string };
  const config = { ...chosen, ...row.network };
  const args = `IgnoreUnknown=true;${podArgs("web-1")}${row.args ?? ""}`;
  const { exitCode, json } = await callCni(node.host, config, { args });
  expect(json).toMatchObject({ cniVersion, interfaces: [{ name: "net1", sandbox: "/run/netns/web-1" }] });
  expect(exitCode).toBe(0);
  const line = node
    .toText()
    .split("\n")
    .find((text) => text.includes("ens1f0 vf 1 "));
  expect(line).toContain(row.side);
  expect(node.toText().includes("\n  net1 0000:3b:02.1 ")).toBe(row.isUserspace !== true);
  for (const prevResult of [json, undefined])
    expect(await callCni(node.host, { ...config, prevResult }, { args, command: "DEL" })).toMatchObject({
      exitCode: 0,
      json: undefined,
    });
  expect(node.toText()).toBe(before);
});
