// Addresses and routes of one interface: which next hop each route gets.

import { describe, expect, test } from "vitest";

import { planAddresses } from "../../../cni/addresses.ts";
import { parseConfig } from "../../../cni/config.ts";
import type { PodNetwork } from "../../../cni/config.ts";
import type { IpamResult } from "../../../sriov/ipam.ts";
import { parsePodArguments } from "../../../cni/pod-arguments.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const base = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };

function networkOf(keys: object): PodNetwork {
  const [network] = parseConfig({ ...base, ...keys }, parsePodArguments("")).networks;
  if (network === undefined) throw new Error("no network");
  return network;
}

/** "10.0.0.0/8 via 192.0.2.1 onlink scope link". */
function routesOf(keys: object, ipam?: IpamResult): readonly string[] {
  return planAddresses(ipam, networkOf(keys)).routes.map(
    ({ destination, gateway, isOnlink, scope, metric, table, mtu }) =>
      [
        destination,
        gateway === undefined ? "" : `via ${gateway}`,
        isOnlink === true ? "onlink" : "",
        scope === undefined ? "" : `scope ${scope}`,
        metric === undefined ? "" : `metric ${metric}`,
        table === undefined ? "" : `table ${table}`,
        mtu === undefined ? "" : `mtu ${mtu}`,
      ]
        .filter(Boolean)
        .join(" "),
  );
}

const four = { ips: ["192.0.2.5/24"], gateway: "192.0.2.1" };

describe("static routes", () => {
  test.each([
    [
      "the default route goes through the gateway",
      { ...four, routes: [{ dst: "0.0.0.0/0" }] },
      ["0.0.0.0/0 via 192.0.2.1"],
    ],
    [
      "a next hop of its own wins",
      { ...four, routes: [{ dst: "198.51.100.0/24", gw: "192.0.2.9" }] },
      ["198.51.100.0/24 via 192.0.2.9"],
    ],
    [
      "a gateway outside the prefix is on the link",
      { ips: ["192.0.2.5/32"], gateway: "169.254.1.1", routes: [{ dst: "0.0.0.0/0" }] },
      ["0.0.0.0/0 via 169.254.1.1 onlink"],
    ],
    [
      "a route of scope link takes no gateway, one of scope global does",
      {
        ...four,
        routes: [
          { dst: "198.51.100.1/32", scope: 253 },
          { dst: "203.0.113.0/24", scope: 0 },
        ],
      },
      ["198.51.100.1/32 scope link", "203.0.113.0/24 via 192.0.2.1 scope global"],
    ],
    [
      "metric, table and MTU are passed on",
      { ...four, routes: [{ dst: "0.0.0.0/0", metric: 50, table: 100, mtu: 1400 }] },
      ["0.0.0.0/0 via 192.0.2.1 metric 50 table 100 mtu 1400"],
    ],
    [
      "IPv6 only",
      { ips: ["2001:db8::5/64"], gateway: "2001:db8::1", routes: [{ dst: "::/0" }] },
      ["::/0 via 2001:db8::1"],
    ],
    [
      "a link-local gateway is inside every prefix",
      { ips: ["2001:db8::5/128"], routes: [{ dst: "::/0", gw: "fe80::1" }] },
      ["::/0 via fe80::1"],
    ],
    [
      "both families: a gateway serves its own only",
      {
        ips: ["192.0.2.5/24", "2001:db8::5/64"],
        gateway: "192.0.2.1",
        routes: [{ dst: "0.0.0.0/0" }, { dst: "2001:db8:1::/48" }],
      },
      ["0.0.0.0/0 via 192.0.2.1", "2001:db8:1::/48"],
    ],
    [
      "without a gateway routes are direct",
      { ips: ["192.0.2.5/24"], routes: [{ dst: "198.51.100.0/24" }] },
      ["198.51.100.0/24"],
    ],
    [
      "host bits of a destination are dropped",
      { ...four, routes: [{ dst: "198.51.100.7/24" }] },
      ["198.51.100.0/24 via 192.0.2.1"],
    ],
  ])("%s", (_title, keys, expected) => {
    expect(routesOf(keys)).toEqual(expected);
  });
});

test("of several addresses of the delegate the first of the family tells the gateway", () => {
  const ipam: IpamResult = {
    ips: [
      { address: "2001:db8::5/64", gateway: "2001:db8::1" },
      { address: "192.0.2.5/24" },
      { address: "198.51.100.5/24", gateway: "198.51.100.1" },
    ],
    routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
    dns: undefined,
  };
  expect(routesOf({}, ipam)).toEqual(["0.0.0.0/0 via 198.51.100.1", "::/0 via 2001:db8::1"]);
});

test("a next hop beside a scope that has none is refused", () => {
  const keys = { ...four, routes: [{ dst: "198.51.100.0/24", gw: "192.0.2.1", scope: 253 }] };
  expect(() => networkOf(keys)).toThrow('routes.0.gw: expected nothing beside scope 253, got "192.0.2.1"');
});

test("a delegate may write an address that it does not tell as null or as an empty text", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  for (const empty of ["", null]) {
    const ips = [{ address: "192.0.2.9/24", gateway: empty }];
    const stdout = JSON.stringify({ ips, routes: [{ dst: "198.51.100.0/24", gw: empty }] });
    node.ipam.failNextAdd({ exitCode: 0, stdout, stderr: "" });
    const { json } = await callCni(node.host, { ...base, ipam: { type: "host-local" } });
    expect(json).toMatchObject({ routes: [{ dst: "198.51.100.0/24" }] });
    expect(node.toText()).toContain("route 198.51.100.0/24 dev net1");
    expect(await callCni(node.host, base, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  }
});
