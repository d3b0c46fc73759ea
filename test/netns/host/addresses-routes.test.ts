// Addresses and routes on the real kernel, with `ip -j` as the oracle.

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import type { Netlink, NewRoute } from "../../../host/netlink/netlink.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";

const host = createHost();
const va = 2;
let netns: TestNetns;
let netlink: Netlink;

beforeEach(() => {
  netns = createTestNetns();
  netns.ip(`link add va index ${va} type veth peer name vb index 3`);
  netns.ip("link set va up");
  netns.ip("link set vb up");
  using handle = host.namespaces.open(netns.path);
  netlink = host.openNetlink(handle);
});
// The namespace first: it must go even when the rest was never made.
afterEach(() => {
  netns[Symbol.dispose]();
  netlink[Symbol.dispose]();
});

describe("addresses", () => {
  it("are added as ip then shows them, and listed as ip lists them", () => {
    netlink.addAddress(va, { family: 4, address: "10.9.0.2", prefixLength: 24 });
    netlink.addAddress(va, { family: 6, address: "2001:db8:9::2", prefixLength: 64 });
    const shown = netns.look("address show").flatMap((link) =>
      (link["addr_info"] as Record<string, unknown>[]).map((info) => ({
        index: link["ifindex"],
        family: info["family"] === "inet" ? 4 : 6,
        address: info["local"],
        prefixLength: info["prefixlen"],
        scope: info["scope"],
      })),
    );
    const listed = netlink.listAddresses();
    expect(listed).toEqual(
      expect.arrayContaining(shown.map((one) => expect.objectContaining(one) as unknown)),
    );
    expect(listed).toHaveLength(shown.length);
    expect(netlink.listAddresses(va).map(({ address }) => address)).toEqual(
      expect.arrayContaining(["10.9.0.2", "2001:db8:9::2"]),
    );
    expect(netlink.listAddresses(3).every(({ scope }) => scope === "link")).toBe(true);
  });

  it("are tentative while IPv6 looks for duplicates", () => {
    netlink.addAddress(va, { family: 6, address: "2001:db8:9::2", prefixLength: 64 });
    expect(netlink.listAddresses(va).find(({ address }) => address === "2001:db8:9::2")?.isTentative).toBe(
      true,
    );
  });

  it("are removed, and refused twice, naming address and link", () => {
    const address = { family: 4, address: "10.9.0.2", prefixLength: 24 } as const;
    netlink.addAddress(va, address);
    expect(() => netlink.addAddress(va, address)).toThrow(/^add address 10\.9\.0\.2\/24 to link 2: EEXIST/);
    netlink.removeAddress(va, address);
    expect(() => netlink.removeAddress(va, address)).toThrow(
      /^remove address 10\.9\.0\.2\/24 of link 2: EADDRNOTAVAIL/,
    );
    expect(netlink.listAddresses(va).filter(({ family }) => family === 4)).toEqual([]);
  });
});

describe("routes", () => {
  const routes: readonly (readonly [string, NewRoute, Record<string, unknown>])[] = [
    [
      "table main",
      { family: 4, destination: "10.20.0.0/16", gateway: "10.9.0.1", index: va },
      { dst: "10.20.0.0/16", gateway: "10.9.0.1", dev: "va", protocol: "static", scope: "global" },
    ],
    [
      "table main",
      { family: 4, destination: "0.0.0.0/0", gateway: "10.99.0.1", index: va, isOnlink: true, metric: 50 },
      { dst: "default", gateway: "10.99.0.1", metric: 50, flags: ["onlink"] },
    ],
    [
      "table main",
      { family: 4, destination: "10.21.0.0/16", gateway: undefined, index: va },
      { dst: "10.21.0.0/16", scope: "link", dev: "va" },
    ],
    [
      "table 1000",
      {
        family: 4,
        destination: "10.30.0.0/16",
        gateway: "10.9.0.1",
        index: va,
        table: 1000,
        mtu: 1300,
        advmss: 1200,
      },
      { dst: "10.30.0.0/16", metrics: [{ mtu: 1300, advmss: 1200 }] },
    ],
  ];

  beforeEach(() => {
    netlink.addAddress(va, { family: 4, address: "10.9.0.2", prefixLength: 24 });
    netns.ip("address add 2001:db8:9::2/64 dev va nodad");
  });

  it.each(routes)("in %s are added as ip then shows them, and read back: %j", (table, route, shown) => {
    netlink.addRoute(route);
    expect(netns.look(`route show ${table}`)).toContainEqual(expect.objectContaining(shown));
    const { destination } = route;
    const listed = netlink.listRoutes(va).find((one) => one.destination === destination);
    expect(listed).toMatchObject({ isOnlink: false, protocol: 4, ...route });
    expect(() => netlink.addRoute(route)).toThrow(/^add route .*: EEXIST/);
    netlink.removeRoute(route);
    expect(netlink.listRoutes().some((one) => one.destination === destination)).toBe(false);
    expect(() => netlink.removeRoute(route)).toThrow(/^remove route .*: ESRCH/);
  });

  it("of IPv6 work the same", () => {
    const route: NewRoute = {
      family: 6,
      destination: "2001:db8:20::/48",
      gateway: "2001:db8:9::1",
      index: va,
      metric: 10,
    };
    netlink.addRoute(route);
    netlink.addRoute({ family: 6, destination: "::/0", gateway: "2001:db8:9::1", index: va });
    const shown = netns.look("-6 route show");
    expect(shown).toContainEqual(
      expect.objectContaining({ dst: "2001:db8:20::/48", metric: 10, protocol: "static" }),
    );
    expect(shown).toContainEqual(expect.objectContaining({ dst: "default", gateway: "2001:db8:9::1" }));
    expect(netlink.listRoutes(va)).toContainEqual(
      expect.objectContaining({ destination: "::/0", metric: 1024 }),
    );
    netlink.removeRoute(route);
    expect(netlink.listRoutes().some(({ destination }) => destination === "2001:db8:20::/48")).toBe(false);
  });

  it("of IPv4 may have a gateway of IPv6", () => {
    netlink.addRoute({ family: 4, destination: "10.40.0.0/16", gateway: "2001:db8:9::1", index: va });
    expect(netns.look("route show")).toContainEqual(
      expect.objectContaining({ dst: "10.40.0.0/16", via: { family: "inet6", host: "2001:db8:9::1" } }),
    );
    expect(netlink.listRoutes(va)).toContainEqual(
      expect.objectContaining({ destination: "10.40.0.0/16", gateway: "2001:db8:9::1" }),
    );
  });

  it("with several next hops are one for each", () => {
    netns.ip("address add 10.10.0.2/24 dev vb");
    netns.ip("route add default nexthop via 10.9.0.1 dev va nexthop via 10.10.0.1 dev vb onlink");
    const hops = netlink.listRoutes().filter(({ destination }) => destination === "0.0.0.0/0");
    expect(hops).toMatchObject([
      { gateway: "10.9.0.1", index: va, isOnlink: false },
      { gateway: "10.10.0.1", index: 3, isOnlink: true },
    ]);
  });

  it("that lead nowhere, and those of table local, are passed over", () => {
    netns.ip("route add blackhole 10.50.0.0/16");
    const destinations = netlink.listRoutes().map(({ destination }) => destination);
    expect(destinations).toContain("10.9.0.0/24");
    expect(destinations).not.toContain("10.50.0.0/16");
    expect(destinations).not.toContain("10.9.0.2/32");
  });
});
