// ADD and DEL on the real kernel, seen by iproute2: veth ends stand in for VFs.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import type { Ethtool } from "../../../host/netlink/ethtool.ts";
import { type DeviceSettings, readDeviceSettings } from "../../../sriov/device-settings.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";
import { createStandInNode, type StandInNode } from "../../support/stand-in-node.ts";

const hasHostLocal = existsSync("/usr/lib/cni/host-local");
const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.0" };

function ipam(node: StandInNode): object {
  const routes = [{ dst: "198.51.100.0/24" }, { dst: "2001:db8:9::/64", gw: "2001:db8::1" }];
  const ranges = [[{ subnet: "192.0.2.0/24" }], [{ subnet: "2001:db8::/64" }]];
  return { type: "host-local", ranges, routes, dataDir: join(node.root, "leases") };
}

function openEthtool(netns: TestNetns): Ethtool {
  const host = createHost();
  using handle = host.namespaces.open(netns.path);
  return host.openEthtool(handle);
}

function readSettings(netns: TestNetns, name: string): DeviceSettings {
  using ethtool = openEthtool(netns);
  return readDeviceSettings(ethtool, Number(netns.look(`link show ${name}`)[0]?.["ifindex"]));
}

/** As a pod with CAP_NET_ADMIN does it. */
function setWithEthtool(pod: TestNetns): void {
  using ethtool = openEthtool(pod);
  const index = Number(pod.look("link show net1")[0]?.["ifindex"]);
  ethtool.setFeatures(index, []);
  ethtool.setChannels(index, { rx: 1, tx: 1 });
}

function leases(node: StandInNode): readonly string[] {
  return readdirSync(join(node.root, "leases/blue")).filter(
    (name) => name.includes(".0.2.") || name.includes("db8"),
  );
}

test("ADD gives a pod its VF with name, MAC, MTU, addresses and routes; DEL makes the host as it was", async ({
  skip,
}) => {
  if (!hasHostLocal) skip("there is no /usr/lib/cni/host-local (Debian: containernetworking-plugins)");
  using node = createStandInNode(2);
  using pod = createTestNetns();
  node.host.ip("link property add dev pf0v0 altname enp59s0v0");
  const before = node.toText();
  const env = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
  const wanted = { ...config, mac: "02:aa:bb:cc:dd:01", mtu: 1400, vlan: 100, ipam: ipam(node) };
  const added = await node.call("ADD", wanted, env);
  expect(added.json).toMatchObject({
    interfaces: [
      { name: "net1", mac: "02:aa:bb:cc:dd:01", mtu: 1400, sandbox: pod.path, pciID: "0000:3b:02.0" },
    ],
  });
  const [link] = pod.look("addr show net1") as [Record<string, unknown>];
  expect(link).toMatchObject({
    ifname: "net1",
    address: "02:aa:bb:cc:dd:01",
    mtu: 1400,
    operstate: "UP",
    altnames: ["enp59s0v0"],
  });
  expect(link["addr_info"]).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ local: "192.0.2.2", prefixlen: 24 }),
      expect.objectContaining({ local: "2001:db8::2", prefixlen: 64 }),
    ]),
  );
  expect(pod.look("route show 198.51.100.0/24")).toMatchObject([{ gateway: "192.0.2.1", dev: "net1" }]);
  expect(pod.look("-6 route show 2001:db8:9::/64")).toMatchObject([{ gateway: "2001:db8::1", dev: "net1" }]);
  expect(leases(node)).toHaveLength(2);
  expect(await node.call("DEL", wanted, env)).toMatchObject({ exitCode: 0, json: undefined });
  expect(node.toText()).toBe(before);
  expect(leases(node)).toEqual([]);
  expect(await node.call("DEL", wanted, env)).toMatchObject({ exitCode: 0, json: undefined });
});

test("a floating address with gateway and routes needs no IPAM", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const wanted = { ...config, ips: ["192.0.2.50/24"], gateway: "192.0.2.1", routes: [{ dst: "0.0.0.0/0" }] };
  const added = await node.call("ADD", wanted, { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path });
  expect(added.json).toMatchObject({
    ips: [{ address: "192.0.2.50/24", gateway: "192.0.2.1", interface: 0 }],
  });
  expect(pod.look("route show default")).toMatchObject([{ gateway: "192.0.2.1", dev: "net1" }]);
});

test("a gateway outside the subnet is reached on the link", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const wanted = {
    ...config,
    ips: ["192.0.2.50/32"],
    gateway: "203.0.113.1",
    routes: [{ dst: "0.0.0.0/0" }],
  };
  expect(await node.call("ADD", wanted, { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path })).toMatchObject({
    exitCode: 0,
  });
  expect(pod.look("route show default")).toMatchObject([{ gateway: "203.0.113.1", flags: ["onlink"] }]);
});

test("an ADD that fails after the move leaves the host as it was, and the pod empty", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const before = node.toText();
  const failing = { ...config, vlan: 5, mac: "02:aa:bb:cc:dd:02", ips: ["192.0.2.50/24", "192.0.2.50/24"] };
  const failed = await node.call("ADD", failing, { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path });
  expect(failed.json).toMatchObject({
    code: 5,
    msg: expect.stringContaining('step "addresses": ') as string,
  });
  expect(failed.json?.["msg"]).toContain("EEXIST");
  expect(node.toText()).toBe(before);
  expect(pod.look("link show").map(({ ifname }) => ifname)).toEqual(["lo"]);
});

test("a VF whose name another link has when it comes home is as it was but for the name, and DEL says so", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const before = node.toText();
  const environment = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
  await node.call("ADD", { ...config, vlan: 5 }, environment);
  node.host.ip("link add other type veth peer name other-peer");
  node.host.ip("link property add dev other altname pf0v0");
  const ended = await node.call("DEL", config, environment);
  expect(ended).toMatchObject({ exitCode: 0, json: undefined });
  expect(ended.stderr).toMatch(/level=warning .* name=pf0v0/);
  node.host.ip("link delete other");
  expect(node.toText()).toBe(before.replaceAll("pf0v0", "vf03b10"));
  await node.call("ADD", config, environment);
  expect(await node.call("DEL", config, environment)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});

test("nothing that a pod set on its VF's interface is on it after DEL", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const look = (): unknown => {
    const [{ ifindex: _own, link_index: _peers, ...shown } = {}] = node.host.look("link show pf0v0");
    return {
      shown,
      settings: readSettings(node.host, "pf0v0"),
      masks: node.host.run([
        "sh",
        "-c",
        "grep . /sys/class/net/pf0v0/queues/*/*ps_* /sys/class/net/pf0v0/*gro* /sys/class/net/pf0v0/napi*",
      ]),
    };
  };
  const before = look();
  const environment = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
  expect(await node.call("ADD", config, environment)).toMatchObject({ exitCode: 0 });
  for (const set of [
    "arp off multicast off allmulticast on promisc on",
    "group 77",
    "mode dormant",
    "broadcast 02:00:00:00:00:99",
    "gso_max_size 4000",
    "gso_max_segs 5",
    "gro_max_size 4000",
    "txqueuelen 7",
  ])
    pod.ip(`link set net1 ${set}`);
  setWithEthtool(pod);
  pod.run([
    "sh",
    "-c",
    "cd /sys/class/net/net1; echo 1000000 > gro_flush_timeout; echo 9 > napi_defer_hard_irqs",
  ]);
  pod.run(["sh", "-c", "for f in /sys/class/net/net1/queues/*/*ps_[cr]*s; do echo 1 > $f; done"]);
  expect(await node.call("DEL", config, environment)).toMatchObject({ exitCode: 0 });
  expect(look()).toEqual(before);
});

test("where CNI_NETNS is the host's own, ADD changes nothing and DEL gives back what the container has", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const before = node.toText();
  const own = { CNI_CONTAINERID: "c1", CNI_NETNS: node.host.path };
  expect((await node.call("ADD", config, own)).json).toMatchObject({ code: 8 });
  expect(node.toText()).toBe(before);
  for (const [override, code] of [
    ["", 8],
    ["1", undefined],
  ] as const) {
    const added = await node.call("ADD", { ...config, vlan: 5 }, { ...own, CNI_NETNS: pod.path });
    expect(added).toMatchObject({ exitCode: 0 });
    const ended = await node.call("DEL", config, { ...own, CNI_NETNS_OVERRIDE: override });
    expect(ended.json?.["code"]).toBe(code);
    expect(node.toText()).toBe(before);
    expect(pod.look("link show").map(({ ifname }) => ifname)).toEqual(["lo"]);
  }
});

test("of eight pods that want one VF at once one gets it, the others are told to try again", async () => {
  using node = createStandInNode(1);
  using pods = new DisposableStack();
  const before = node.toText();
  const paths = Array.from({ length: 8 }, () => pods.use(createTestNetns()).path);
  const environments = paths.map((path, pod) => ({ CNI_CONTAINERID: `c${pod}`, CNI_NETNS: path }));
  const answers = await Promise.all(environments.map((environment) => node.call("ADD", config, environment)));
  expect(answers.map(({ json }) => JSON.stringify(json?.["code"] ?? 0)).toSorted()).toEqual([
    "0",
    ...Array<string>(7).fill("11"),
  ]);
  await Promise.all(environments.map((environment) => node.call("DEL", config, environment)));
  expect(node.toText()).toBe(before);
});

test("of six pods that ask for one MAC on VFs of one PF at once, one gets it", async () => {
  using node = createStandInNode(6);
  using pods = new DisposableStack();
  const before = node.toText();
  const calls = Array.from({ length: 6 }, (_, vf) => ({
    config: { ...config, deviceID: `0000:3b:02.${vf}`, mac: "02:aa:bb:cc:dd:01" },
    environment: { CNI_CONTAINERID: `c${vf}`, CNI_NETNS: pods.use(createTestNetns()).path },
  }));
  const all = (verb: string) =>
    Promise.all(calls.map((call) => node.call(verb, call.config, call.environment)));
  const answers = await all("ADD");
  expect(answers.map(({ json }) => JSON.stringify(json?.["code"] ?? 0)).toSorted()).toEqual([
    "0",
    ...Array<string>(5).fill("11"),
  ]);
  for (const { json } of answers.filter(({ json }) => json?.["code"] !== undefined))
    expect(json?.["msg"]).toContain("ERR_VF_MAC_TAKEN");
  await all("DEL");
  expect(node.toText()).toBe(before);
});
