// CHECK: every difference between the live VF and what ADD did, in one error; nothing is changed.

import { expect, test } from "vitest";

import type { Netlink } from "../../../host/netlink/netlink.ts";
import { callCni, type TestAnswer } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  vlanQoS: 3,
  mac: "02:aa:bb:cc:dd:01",
  mtu: 9000,
  spoofchk: "off",
  trust: "on",
  max_tx_rate: 200,
  ipam: {
    type: "host-local",
    subnet: "192.0.2.0/24",
    routes: [{ dst: "198.51.100.0/24", gw: "192.0.2.254" }],
  },
};
const fine = { exitCode: 0, json: undefined };

interface Attached {
  readonly node: FakeHost;
  readonly check: (change?: object, call?: object) => Promise<TestAnswer>;
}

async function attach(changed: object = {}): Promise<Attached> {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 3, driver: "ice" }]);
  node.addNetns("web-1");
  const wanted = { ...config, ...changed };
  const added = await callCni(node.host, wanted);
  expect(added).toMatchObject({ exitCode: 0 });
  return {
    node,
    check: async (change = {}, call = {}) => {
      const before = node.toText();
      const answer = await callCni(
        node.host,
        { ...wanted, prevResult: added.json, ...change },
        { command: "CHECK", ...call },
      );
      expect(node.toText()).toBe(before);
      expect(node.kernel.handles.size).toBe(0);
      return answer;
    },
  };
}

function inPod(node: FakeHost, change: (netlink: Netlink, index: number) => void): void {
  using netns = node.host.namespaces.open("/run/netns/web-1");
  using netlink = node.host.openNetlink(netns);
  change(netlink, netlink.getLink({ name: "net1" })?.index ?? 0);
}

function onHost(node: FakeHost, change: (netlink: Netlink, pf: number) => void): void {
  using netlink = node.host.openNetlink();
  change(netlink, netlink.getLink({ name: "ens1f0" })?.index ?? 0);
}

test.each(["0.4.0", "1.0.0"])("CHECK after ADD has nothing to say (%s)", async (cniVersion) => {
  const { node, check } = await attach({ cniVersion });
  using _node = node;
  expect(await check()).toMatchObject(fine);
  expect(node.ipam.calls.at(-1)?.env).toMatchObject({ CNI_COMMAND: "CHECK", CNI_IFNAME: "net1" });
});

test("what the network left alone is compared with what the VF was", async () => {
  const { node, check } = await attach({
    vlan: undefined,
    vlanQoS: undefined,
    mac: undefined,
    mtu: undefined,
    spoofchk: undefined,
    trust: undefined,
    max_tx_rate: undefined,
  });
  using _node = node;
  expect(await check()).toMatchObject(fine);
  onHost(node, (netlink, pf) => netlink.setVf(pf, 1, { set: "vlan", vlan: 9, qos: 0, vlanProto: "802.1q" }));
  expect((await check()).json).toMatchObject({
    code: 105,
    msg: expect.stringContaining("vlan: expected 0, got 9 qos 0 802.1q") as string,
  });
});

test("every difference is in the one error, with expected and got", async () => {
  const { node, check } = await attach();
  using _node = node;
  inPod(node, (netlink, index) => {
    netlink.removeAddress(index, { family: 4, address: "192.0.2.2", prefixLength: 24 });
    netlink.addAddress(index, { family: 4, address: "203.0.113.9", prefixLength: 32 });
    netlink.setLink(index, { set: "up", value: false });
    netlink.setLink(index, { set: "name", value: "mine" });
    netlink.setLink(index, { set: "mac", value: "02:ee:ee:ee:ee:ee" });
    netlink.setLink(index, { set: "mtu", value: 1400 });
  });
  onHost(node, (netlink, pf) => {
    netlink.setVf(pf, 1, { set: "vlan", vlan: 7, qos: 0, vlanProto: "802.1ad" });
    netlink.setVf(pf, 1, { set: "spoofchk", value: true });
    netlink.setVf(pf, 1, { set: "trust", value: false });
    netlink.setVf(pf, 1, { set: "linkState", value: "disable" });
    netlink.setVf(pf, 1, { set: "rate", minTxRateMbps: 5, maxTxRateMbps: 50 });
    netlink.setVf(pf, 1, { set: "mac", mac: "02:ee:ee:ee:ee:01" });
  });
  node.ipam.leases.clear();
  const { json, exitCode } = await check();
  expect(exitCode).toBe(1);
  expect(json).toMatchObject({ code: 105 });
  expect(String(json?.["msg"]).replaceAll("0000:3b:02.1 as net1: ", "").split(" | ")).toEqual([
    "ERR_CNI_CHECK: checking c1/net1: name: expected net1, got mine",
    "mac: expected 02:aa:bb:cc:dd:01, got 02:ee:ee:ee:ee:ee",
    "mtu: expected 9000, got 1400",
    "address: expected 192.0.2.2/24, got 203.0.113.9/32",
    "route: expected 198.51.100.0/24 via 192.0.2.254, got none",
    "admin mac: expected 02:aa:bb:cc:dd:01, got 02:ee:ee:ee:ee:01",
    "vlan: expected 100 qos 3 802.1q, got 7 qos 0 802.1ad",
    "spoofchk: expected off, got on",
    "trust: expected on, got off",
    "link_state: expected auto, got disable",
    "min_tx_rate: expected 0, got 5",
    "max_tx_rate: expected 200, got 50",
    "IPAM CHECK by host-local for net1: host-local: failed to find the address added by the container",
  ]);
});

test("what a later plugin changed and told in the result is no difference", async () => {
  const { node, check } = await attach();
  using _node = node;
  inPod(node, (netlink, index) => {
    netlink.setLink(index, { set: "mtu", value: 1400 });
    netlink.addAddress(index, { family: 4, address: "203.0.113.9", prefixLength: 32 });
  });
  expect((await check()).json).toMatchObject({ code: 105 });
  const nic = { name: "net1", mac: "02:AA:BB:CC:DD:01", mtu: 1400, sandbox: "/run/netns/web-1" };
  const interfaces = [{ ...nic, pciID: "0000:3b:02.1" }];
  const ips = [{ address: "203.0.113.9/32", interface: 0 }];
  expect(await check({ prevResult: { interfaces, ips } })).toMatchObject(fine);
  const more = [...ips, { address: "203.0.113.10/32", interface: 0 }];
  expect((await check({ prevResult: { interfaces, ips: more } })).json?.["msg"]).toContain(
    "address: expected 203.0.113.10/32, got 192.0.2.2/24, 203.0.113.9/32",
  );
  const routes = [{ dst: "10.9.0.0/16", gw: "192.0.2.7" }];
  expect((await check({ prevResult: { interfaces, ips, routes } })).json?.["msg"]).toContain(
    "route: expected 10.9.0.0/16 via 192.0.2.7, got none",
  );
});

test("routes to one destination are told apart by table and metric, and compared with MTU and MSS", async () => {
  const routes = [
    { dst: "0.0.0.0/0", metric: 50 },
    { dst: "0.0.0.0/0", metric: 60, mtu: 1400 },
    { dst: "0.0.0.0/0", metric: 60, table: 100, advmss: 1360 },
    { dst: "10.0.0.0/8", table: 100 },
  ];
  const keys = { ipam: undefined, ips: ["192.0.2.5/24"], gateway: "192.0.2.1", routes };
  const { node, check } = await attach(keys);
  using _node = node;
  expect(await check()).toMatchObject(fine);
  inPod(node, (netlink, index) => {
    for (const destination of ["0.0.0.0/0", "10.0.0.0/8"])
      netlink.removeRoute({ family: 4, destination, gateway: "192.0.2.1", index });
    const kept = { family: 4, destination: "0.0.0.0/0", gateway: "192.0.2.1", index } as const;
    netlink.addRoute({ ...kept, metric: 60, mtu: 1500 });
    netlink.addRoute({ ...kept, metric: 60, table: 100 });
    netlink.addRoute({ ...kept, destination: "10.0.0.0/8" });
  });
  const got = "got 0.0.0.0/0 via 192.0.2.1 metric 60 mtu 1500, 0.0.0.0/0 via 192.0.2.1 metric 60 table 100";
  expect(
    String((await check()).json?.["msg"])
      .split(" | ")
      .map((problem) => problem.split(": ").slice(-1).join("")),
  ).toEqual([
    `expected 0.0.0.0/0 via 192.0.2.1 metric 50, ${got}`,
    `expected 0.0.0.0/0 via 192.0.2.1 metric 60 mtu 1400, ${got}`,
    `expected 0.0.0.0/0 via 192.0.2.1 metric 60 table 100 advmss 1360, ${got}`,
    "expected 10.0.0.0/8 via 192.0.2.1 table 100, got 10.0.0.0/8 via 192.0.2.1",
  ]);
});

test("of two routes with one destination, table and metric only the first is there, and asked for", async () => {
  const routes = [
    { dst: "0.0.0.0/0", gw: "192.0.2.1" },
    { dst: "0.0.0.0/0", gw: "192.0.2.2", table: 254, metric: 0 },
  ];
  const { node, check } = await attach({ ipam: undefined, ips: ["192.0.2.5/24"], routes });
  using _node = node;
  expect(await check()).toMatchObject(fine);
  inPod(node, (netlink, index) => {
    const route = { family: 4, destination: "0.0.0.0/0", index } as const;
    netlink.removeRoute({ ...route, gateway: "192.0.2.1" });
    netlink.addRoute({ ...route, gateway: "192.0.2.2" });
  });
  expect((await check()).json?.["msg"]).toMatch(
    /as net1: route: expected 0\.0\.0\.0\/0 via 192\.0\.2\.1, got 0\.0\.0\.0\/0 via 192\.0\.2\.2$/,
  );
});

test("a route for which the network names no table may be in one that a later plugin made, as sbr does", async () => {
  const routes = [
    { dst: "0.0.0.0/0", gw: "192.0.2.1" },
    { dst: "0.0.0.0/0", gw: "192.0.2.1", table: 7 },
  ];
  const { node, check } = await attach({ ipam: undefined, ips: ["192.0.2.5/24"], routes });
  using _node = node;
  const keep = (...tables: readonly number[]): void =>
    inPod(node, (netlink, index) => {
      const route = { family: 4, destination: "0.0.0.0/0", gateway: "192.0.2.1", index } as const;
      netlink.removeRoute(route);
      for (const table of tables) netlink.addRoute({ ...route, table });
    });
  keep(7, 100);
  expect(await check()).toMatchObject(fine);
  keep(7);
  expect((await check()).json?.["msg"]).toContain("expected 0.0.0.0/0 via 192.0.2.1, got");
  keep(254, 100);
  expect((await check()).json?.["msg"]).toContain("expected 0.0.0.0/0 via 192.0.2.1 table 7, got");
});

test("a VF on the host, in another namespace or of another identity is named", async () => {
  const { node, check } = await attach();
  using _node = node;
  node.addNetns("other");
  using other = node.host.namespaces.open("/run/netns/other");
  if (other === undefined) throw new Error("no namespace");
  inPod(node, (netlink, index) => netlink.moveLink(index, other));
  other[Symbol.dispose]();
  expect((await check()).json?.["msg"]).toContain(
    "namespace: expected /run/netns/web-1, got /run/netns/other, as net1",
  );
  node.removeNetns("other");
  expect((await check()).json?.["msg"]).toContain(
    "namespace: expected /run/netns/web-1, got the host's, as net1",
  );
  node.removeNetns("web-1");
  node.addNetns("web-1");
  expect((await check()).json?.["msg"]).toContain("namespace: expected the one of ADD (cookie ");
  const path = `${node.host.paths.attachments}/0000:3b:02.1.json`;
  const record = JSON.parse(node.host.files.readText(path) ?? "") as { readonly device: object };
  node.host.files.writeAtomic(path, JSON.stringify({ ...record, device: { ...record.device, inode: "1" } }));
  expect((await check()).json?.["msg"]).toContain("got another one at this address");
});

test("a container that was never added is error 3, a missing prevResult 7, a missing namespace 8", async () => {
  const { node, check } = await attach();
  using _node = node;
  expect((await check({}, { containerId: "c2" })).json).toMatchObject({ code: 3 });
  expect((await check({ prevResult: undefined })).json).toMatchObject({ code: 7 });
  expect((await check({}, { netns: "/run/netns/none" })).json).toMatchObject({ code: 8 });
  expect((await check({ cniVersion: "0.3.1" })).json).toMatchObject({ code: 1 });
});

test("a record that another release wrote is named, not passed over", async () => {
  const { node, check } = await attach();
  using _node = node;
  node.host.files.writeAtomic(`${node.host.paths.attachments}/0000:3b:02.1.json`, '{"format":"9.0"}');
  expect((await check()).json?.["msg"]).toContain("ERR_RECORD_FORMAT: reading the record ");
});

const first = {
  cniVersion: "1.0.0",
  interfaces: [{ name: "eth0", sandbox: "/run/netns/web-1" }],
  ips: [{ address: "10.244.1.14/24", interface: 0 }],
  routes: [{ dst: "0.0.0.0/0", gw: "10.244.1.1" }],
};
const chained = { cniVersion: "1.0.0", name: "cluster", type: "virtfn", networks: [{ vlan: 7 }] };

test("chained, all VFs of the pod are compared, and other interfaces' routes are not ours", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  node.allocate("uid-web-1", { app: ["0000:3b:02.0", "0000:3b:02.1"] });
  const added = await callCni(node.host, { ...chained, prevResult: first }, { ifName: "eth0" });
  const run = async (): Promise<TestAnswer> =>
    callCni(node.host, { ...chained, prevResult: added.json }, { command: "CHECK", ifName: "eth0" });
  expect(await run()).toMatchObject(fine);
  onHost(node, (netlink, pf) => {
    for (const vf of [0, 1]) netlink.setVf(pf, vf, { set: "vlan", vlan: 8, qos: 0, vlanProto: "802.1q" });
  });
  const text = String((await run()).json?.["msg"]);
  expect(text).toContain("0000:3b:02.0 as net1: vlan: expected 7 qos 0 802.1q, got 8 qos 0 802.1q | ");
  expect(text).toContain("0000:3b:02.1 as net2: vlan: expected 7 ");
});

test("chained, a pod without a VF is as it should be, one whose VF was never given is error 3", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const run = async (): Promise<TestAnswer> =>
    callCni(node.host, { ...chained, prevResult: first }, { command: "CHECK", ifName: "eth0" });
  node.allocate("uid-other", { app: ["0000:3b:02.0"] });
  expect(await run()).toMatchObject(fine);
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
  expect((await run()).json).toMatchObject({ code: 3 });
});
