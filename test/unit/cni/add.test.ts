// ADD on the fake node, with a device in the configuration.

import { expect, test } from "vitest";

import { createFakeHost } from "../../support/fake-host.ts";
import { callCni } from "../../support/cni-call.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24", routes: [{ dst: "198.51.100.0/24" }] };
const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  ipam,
};

test("ADD gives the VF to the pod with settings, address and route, and answers with it", async () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  const answer = await callCni(node.host, { ...config, logLevel: "warning" });
  expect(answer).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "json": {
        "cniVersion": "1.0.0",
        "dns": {},
        "interfaces": [
          {
            "mac": "02:00:00:00:00:01",
            "mtu": 1500,
            "name": "net1",
            "pciID": "0000:3b:02.1",
            "sandbox": "/run/netns/web-1",
          },
        ],
        "ips": [
          {
            "address": "192.0.2.2/24",
            "gateway": "192.0.2.1",
            "interface": 0,
          },
        ],
        "routes": [
          {
            "dst": "198.51.100.0/24",
          },
        ],
      },
      "stderr": "",
    }
  `);
  expect(node.toText()).toMatchInlineSnapshot(`
    "host
      ens1f0 0000:3b:00.0 mac 02:00:00:00:00:ff mtu 1500 up
      ens1f0 vf 0 mac 02:00:00:00:00:00 vlan 0 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 100 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0v0 0000:3b:02.0 mac 02:00:00:00:00:00 mtu 1500 down altnames enp0s0v0 rx-0 rps 00 flows 0 tx-0 xps 00
      eth0 virtual mac 02:00:00:00:ff:01 mtu 1500 up
      route 0.0.0.0/0 via 198.51.100.1 dev eth0
    /run/netns/web-1
      net1 0000:3b:02.1 mac 02:00:00:00:00:01 mtu 1500 up altnames enp0s0v1 rx-0 rps 00 flows 0 tx-0 xps 00
      net1 sysctl ipv4/arp_notify 1
      net1 sysctl ipv6/ndisc_notify 1
      net1 sysctl ipv6/optimistic_dad 1
      net1 sysctl ipv6/use_optimistic 1
      net1 address 192.0.2.2/24
      route 198.51.100.0/24 via 192.0.2.1 dev net1
    attachments 0000:3b:02.1.json
    lease blue c1 net1 192.0.2.2/24"
  `);
  expect(node.kernel.moves).toBe(1);
});

test.each(["0.3.1", "0.4.0", "1.0.0"])("the result is written as version %s has it", async (cniVersion) => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const { json } = await callCni(node.host, { ...config, cniVersion });
  const isOld = cniVersion !== "1.0.0";
  expect(json).toMatchObject({ cniVersion, interfaces: [{ name: "net1", sandbox: "/run/netns/web-1" }] });
  const { interfaces, ips } = json as {
    readonly interfaces: readonly object[];
    readonly ips: readonly object[];
  };
  expect(Object.keys(interfaces[0] ?? {}).includes("pciID")).toBe(!isOld);
  expect(ips[0]).toEqual({
    ...(isOld ? { version: "4" } : {}),
    address: "192.0.2.2/24",
    gateway: "192.0.2.1",
    interface: 0,
  });
  expect(JSON.parse(node.ipam.calls[0]?.stdin ?? "")).toMatchObject({
    cniVersion,
    name: "blue",
    type: "host-local",
    ipam,
  });
});

test("IPAM is called with the CNI environment and nothing of ours", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  await callCni(node.host, config, { args: "IP=192.0.2.9;K8S_POD_UID=u" });
  expect(
    node.ipam.calls.map(({ command, env }) => ({ command: command.replace(node.root, ""), env })),
  ).toEqual([
    {
      command: "/opt/cni/bin/host-local",
      env: {
        CNI_COMMAND: "ADD",
        CNI_CONTAINERID: "c1",
        CNI_NETNS: "/run/netns/web-1",
        CNI_IFNAME: "net1",
        CNI_ARGS: "IP=192.0.2.9;K8S_POD_UID=u",
        CNI_PATH: `${node.root}/opt/cni/bin`,
      },
    },
  ]);
});

test("a VF that gets no carrier is given all the same, after 200 ms", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  for (const link of node.kernel.host.links.values()) link.carrierAfterMs = undefined;
  const startMs = node.clock.monotonicMs();
  expect((await callCni(node.host, config)).exitCode).toBe(0);
  expect(node.clock.monotonicMs() - startMs).toBe(200);
});

test("a carrier that comes is not waited for any longer", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  for (const link of node.kernel.host.links.values()) link.carrierAfterMs = 30;
  const startMs = node.clock.monotonicMs();
  await callCni(node.host, config);
  expect(node.clock.monotonicMs() - startMs).toBe(30);
});

test("without a vlan key the VF keeps the VLAN that it has on the host, vlan 0 clears it", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  using netlink = node.host.openNetlink();
  const pf = netlink.getLink({ name: "ens1f0" })?.index ?? 0;
  netlink.setVf(pf, 1, { set: "vlan", vlan: 42, qos: 1, vlanProto: "802.1q" });
  const { vlan: _none, ...untouched } = config;
  await callCni(node.host, untouched);
  expect(netlink.listVfs(pf)[1]).toMatchObject({ vlan: 42, qos: 1 });
  await callCni(node.host, untouched, { command: "DEL" });
  await callCni(node.host, { ...config, vlan: 0 });
  expect(netlink.listVfs(pf)[1]).toMatchObject({ vlan: 0, qos: 0 });
  await callCni(node.host, config, { command: "DEL" });
  expect(netlink.listVfs(pf)[1]).toMatchObject({ vlan: 42, qos: 1 });
});

test("IPAM gets the wished addresses, and not the pod's annotations", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const runtimeConfig = { ips: ["192.0.2.9/24"], "io.kubernetes.cri.pod-annotations": { note: "long" } };
  await callCni(node.host, { ...config, runtimeConfig, args: { cni: { foo: "bar" } } });
  expect(JSON.parse(node.ipam.calls[0]?.stdin ?? "")).toEqual({
    cniVersion: "1.0.0",
    name: "blue",
    type: "host-local",
    ipam,
    runtimeConfig: { ips: ["192.0.2.9/24"] },
    args: { cni: { foo: "bar" } },
  });
});

test("a pod brings its address, the network tells gateway and routes", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const before = node.toText();
  const { ipam: _none, ...rest } = config;
  const capabilities = { ips: true };
  const floating = { ...rest, capabilities, gateway: "192.0.2.1", routes: [{ dst: "0.0.0.0/0" }] };
  const given = { ...floating, runtimeConfig: { ips: ["192.0.2.50/24"] } };
  const { json } = await callCni(node.host, given);
  expect(json).toMatchObject({
    ips: [{ address: "192.0.2.50/24", gateway: "192.0.2.1", interface: 0 }],
    routes: [{ dst: "0.0.0.0/0" }],
  });
  expect(node.toText()).toContain("route 0.0.0.0/0 via 192.0.2.1 dev net1");
  for (const runtimeConfig of [given.runtimeConfig, undefined]) {
    const later = { ...floating, runtimeConfig, prevResult: json };
    expect(await callCni(node.host, later, { command: "CHECK" })).toMatchObject({ exitCode: 0 });
  }
  const ended = await callCni(node.host, floating, { command: "DEL" });
  expect(ended).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining("passed over") as string });
  expect(node.toText()).toBe(before);
  expect((await callCni(node.host, floating)).json).toMatchObject({ code: 7 });
  expect(node.toText()).toBe(before);
});

test("a container whose namespace was made anew is given the VF again", async () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  await callCni(node.host, config);
  node.removeNetns("web-1");
  node.addNetns("web-1");
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toContain("net1 0000:3b:02.1");
});
