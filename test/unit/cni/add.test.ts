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
  const answer = await callCni(node.host, config);
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
      net1 address 192.0.2.2/24
      route 198.51.100.0/24 via 192.0.2.1 dev net1
    attachments 0000:3b:02.1.json
    lease blue c1 net1 192.0.2.2/24"
  `);
  expect(node.kernel.moves).toBe(1);
});
