// Every form of addresses and routes, with iproute2 as the oracle of what the kernel has then.

import { expect, test } from "vitest";

import { createTestNetns, type TestNetns } from "../../support/netns.ts";
import { createStandInNode } from "../../support/stand-in-node.ts";

interface Row {
  readonly name: string;
  readonly keys: object;
  readonly addresses: readonly string[];
  /** Words of `ip route`, without those of the link itself: "10.0.0.0/8 via 192.0.2.1 scope link metric 50 mtu 1400 table 100". */
  readonly routes: readonly string[];
}

const config = { cniVersion: "1.1.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.0" };
const four = { ips: ["192.0.2.50/24"], gateway: "192.0.2.1" };
const six = { ips: ["2001:db8::50/64"], gateway: "2001:db8::1" };
const link4 = "192.0.2.0/24 scope link";
const link6 = "2001:db8::/64 metric 256";

const table: readonly Row[] = [
  {
    name: "the default route goes by way of the VF",
    keys: { ...four, routes: [{ dst: "0.0.0.0/0" }] },
    addresses: ["192.0.2.50/24"],
    routes: [link4, "default via 192.0.2.1"],
  },
  {
    name: "IPv6 only",
    keys: { ...six, routes: [{ dst: "::/0" }] },
    addresses: ["2001:db8::50/64"],
    routes: [link6, "default via 2001:db8::1 metric 1024"],
  },
  {
    name: "both families, each with its default route",
    keys: {
      ips: [...four.ips, ...six.ips],
      gateway: four.gateway,
      routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0", gw: "2001:db8::1" }],
    },
    addresses: ["192.0.2.50/24", "2001:db8::50/64"],
    routes: [link4, "default via 192.0.2.1", link6, "default via 2001:db8::1 metric 1024"],
  },
  {
    name: "several addresses of each family",
    keys: { ips: ["192.0.2.50/24", "198.51.100.50/25", "2001:db8::50/64", "2001:db8:1::50/64"] },
    addresses: ["192.0.2.50/24", "198.51.100.50/25", "2001:db8::50/64", "2001:db8:1::50/64"],
    routes: [link4, "198.51.100.0/25 scope link", link6, "2001:db8:1::/64 metric 256"],
  },
  {
    name: "several addresses of one subnet",
    keys: { ips: ["192.0.2.50/24", "192.0.2.51/24"] },
    addresses: ["192.0.2.50/24", "192.0.2.51/24"],
    routes: [link4],
  },
  {
    name: "a gateway outside the subnet is on the link",
    keys: { ips: ["192.0.2.50/32"], gateway: "203.0.113.1", routes: [{ dst: "0.0.0.0/0" }] },
    addresses: ["192.0.2.50/32"],
    routes: ["default via 203.0.113.1 onlink"],
  },
  {
    name: "an IPv6 gateway outside the subnet, and one of the link itself",
    keys: {
      ips: ["2001:db8::50/128"],
      routes: [
        { dst: "::/0", gw: "2001:db8:f::1" },
        { dst: "2001:db8:9::/64", gw: "fe80::1" },
      ],
    },
    addresses: ["2001:db8::50/128"],
    routes: [
      "2001:db8::50 metric 256",
      "2001:db8:9::/64 via fe80::1 metric 1024",
      "default via 2001:db8:f::1 onlink metric 1024",
    ],
  },
  {
    name: "routes of the link's scope take no gateway",
    keys: {
      ...four,
      routes: [
        { dst: "203.0.113.1/32", scope: 253 },
        { dst: "198.51.100.0/24", gw: "203.0.113.1" },
      ],
    },
    addresses: ["192.0.2.50/24"],
    routes: [link4, "203.0.113.1 scope link", "198.51.100.0/24 via 203.0.113.1 onlink"],
  },
  {
    name: "MTU, advertised MSS, metric and table",
    keys: {
      ips: [...four.ips, ...six.ips],
      gateway: four.gateway,
      routes: [
        { dst: "198.51.100.0/24", mtu: 1400, advmss: 1360 },
        { dst: "0.0.0.0/0", metric: 50 },
        { dst: "0.0.0.0/0", priority: 60, table: 100 },
        { dst: "10.0.0.0/8", table: 70_000 },
        { dst: "::/0", gw: "2001:db8::1", metric: 7, mtu: 1300 },
        { dst: "2001:db8:9::/64", gw: "2001:db8::1", table: 100 },
      ],
    },
    addresses: ["192.0.2.50/24", "2001:db8::50/64"],
    routes: [
      link4,
      "198.51.100.0/24 via 192.0.2.1 mtu 1400 advmss 1360",
      "default via 192.0.2.1 metric 50",
      "default via 192.0.2.1 metric 60 table 100",
      "10.0.0.0/8 via 192.0.2.1 table 70000",
      link6,
      "default via 2001:db8::1 metric 7 mtu 1300",
      "2001:db8:9::/64 via 2001:db8::1 metric 1024 table 100",
    ],
  },
];

test.each(table)("$name", async ({ keys, addresses, routes }) => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const before = node.toText();
  const env = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
  const wanted = { ...config, ...keys };
  const { exitCode, json } = await node.call("ADD", wanted, env);
  expect(json).not.toHaveProperty("code");
  expect(exitCode).toBe(0);
  expect(listAddresses(pod).toSorted()).toEqual(addresses.toSorted());
  expect(listRoutes(pod).toSorted()).toEqual(routes.toSorted());
  const checked = await node.call("CHECK", { ...wanted, prevResult: json }, env);
  expect(checked).toMatchObject({ exitCode: 0, json: undefined });
  expect(await node.call("DEL", wanted, env)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});

interface SeenRoute extends Readonly<Record<string, unknown>> {
  readonly dst: string;
  readonly type?: string;
  readonly flags: readonly string[];
  readonly metrics?: readonly Readonly<Record<string, unknown>>[];
}

function listAddresses(pod: TestNetns): readonly string[] {
  const [link] = pod.look("address show dev net1");
  const all = link?.["addr_info"] as readonly Readonly<Record<string, unknown>>[];
  return all
    .filter(({ scope }) => scope === "global")
    .map(({ local, prefixlen }) => `${String(local)}/${String(prefixlen)}`);
}

// The kernel's own of addresses, groups and the link's prefix are in its table for those, or are fe80.
function listRoutes(pod: TestNetns): readonly string[] {
  const all = [
    ...pod.look("-4 route show table all dev net1"),
    ...pod.look("-6 route show table all dev net1"),
  ];
  return (all as unknown as readonly SeenRoute[])
    .filter(({ table: name, dst }) => name !== "local" && !dst.startsWith("fe80"))
    .map(formatRoute);
}

function formatRoute({ dst, flags, metrics, gateway, scope, metric, table: name }: SeenRoute): string {
  const values = { ...metrics?.[0] };
  return [
    dst,
    gateway === undefined ? [] : ["via", gateway],
    flags.includes("onlink") ? "onlink" : [],
    scope === undefined || scope === "global" ? [] : ["scope", scope],
    metric === undefined || metric === 0 ? [] : ["metric", metric],
    Object.entries(values).flat(),
    name === undefined || name === "main" ? [] : ["table", name],
  ]
    .flat()
    .join(" ");
}
