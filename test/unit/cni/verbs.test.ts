// Every verb in every version of the spec: what is answered, and which verbs a version does not have.

import { expect, test } from "vitest";

import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const versions = [
  { cniVersion: "0.3.1", codes: { check: 1, checkAfterDel: 1, gc: 1, status: 1 }, isOld: true },
  { cniVersion: "0.4.0", codes: { check: 0, checkAfterDel: 3, gc: 1, status: 1 }, isOld: true },
  { cniVersion: "1.0.0", codes: { check: 0, checkAfterDel: 3, gc: 1, status: 1 }, isOld: false },
  { cniVersion: "1.1.0", codes: { check: 0, checkAfterDel: 3, gc: 0, status: 0 }, isOld: false },
] as const;

const routes = [{ dst: "198.51.100.0/24", gw: "192.0.2.254", mtu: 1400, priority: 7 }];
const dns = { nameservers: ["192.0.2.53"], domain: "data.example", search: ["data.example"], options: [] };
const network = { mtu: 9000, ipam: { type: "host-local", subnet: "192.0.2.0/24", routes, dns } };
const before = {
  interfaces: [{ name: "eth0", mac: "02:00:00:00:00:0e", sandbox: "/run/netns/web-1" }],
  ips: [{ address: "10.244.1.14/24", interface: 0 }],
  routes: [{ dst: "0.0.0.0/0", gw: "10.244.1.1" }],
  dns: { nameservers: ["10.96.0.10"] },
};
const ways = [
  {
    way: "with a device",
    config: { deviceID: "0000:3b:02.1", ...network },
    ifName: "net1",
    others: 0,
    handedOn: { dns },
  },
  {
    way: "chained",
    config: { prevResult: before, networks: [network] },
    ifName: "eth0",
    others: 1,
    handedOn: { dns: before.dns },
  },
  {
    way: "chained after a plugin that tells no dns, but what nobody knows",
    config: { prevResult: { ...before, dns: {}, "x.y/own": [1] }, networks: [network] },
    ifName: "eth0",
    others: 1,
    handedOn: { dns, "x.y/own": [1] },
  },
] as const;

const table = versions.flatMap((version) => ways.map((way) => Object.assign({}, version, way)));
const noPod = { containerId: "", netns: "", ifName: "", args: "" };

function makeNode(): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
  return node;
}

function lastOf(value: unknown): unknown {
  return Array.isArray(value) ? value.at(-1) : undefined;
}

test.each(table)("a pod's life $way in $cniVersion", async (row) => {
  const { cniVersion, codes, isOld, config, ifName, others, handedOn } = row;
  using node = makeNode();
  const start = node.toText();
  const common = { cniVersion, name: "blue", type: "virtfn" };
  const added = await callCni(node.host, { ...common, ...config }, { ifName });
  const nic = { name: "net1", mac: "02:00:00:00:00:01", sandbox: "/run/netns/web-1" };
  const ip = { address: "192.0.2.2/24", gateway: "192.0.2.1", interface: others };
  const { interfaces, ips, routes: shown, ...rest } = added.json ?? {};
  expect(rest).toEqual({ cniVersion, ...handedOn });
  expect(lastOf(interfaces)).toEqual(isOld ? nic : { ...nic, mtu: 9000, pciID: "0000:3b:02.1" });
  expect(lastOf(ips)).toEqual(isOld ? { version: "4", ...ip } : ip);
  expect(lastOf(shown)).toEqual(isOld ? { dst: "198.51.100.0/24", gw: "192.0.2.254" } : routes[0]);

  const attached = node.toText();
  const later = { ...common, ...config, prevResult: added.json };
  const alone = { ...later, prevResult: undefined };
  const listed = { ...alone, "cni.dev/valid-attachments": [{ containerID: "c1", ifname: ifName }] };
  const codeOf = async (request: object, call: object): Promise<unknown> => {
    const { json } = await callCni(node.host, request, call);
    return json === undefined ? 0 : json["code"];
  };
  expect(await codeOf(later, { command: "CHECK", ifName })).toBe(codes.check);
  expect(await codeOf(listed, { command: "GC", ...noPod })).toBe(codes.gc);
  expect(await codeOf(alone, { command: "STATUS", ...noPod })).toBe(codes.status);
  expect(node.toText()).toBe(attached);

  expect(await codeOf(later, { command: "DEL", ifName })).toBe(0);
  expect(node.toText()).toBe(start);
  expect(await codeOf(alone, { command: "DEL", ifName, netns: "" })).toBe(0);
  expect(await codeOf(later, { command: "CHECK", ifName })).toBe(codes.checkAfterDel);
  expect(node.toText()).toBe(start);
});

test.each(versions)("an error has the request's version, $cniVersion", async ({ cniVersion }) => {
  using node = makeNode();
  const wrong = { cniVersion, name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", ...network, mtu: 1 };
  for (const command of ["ADD", "CHECK", "GC", "STATUS"])
    expect((await callCni(node.host, wrong, { command })).json).toMatchObject({ cniVersion, code: 7 });
});
