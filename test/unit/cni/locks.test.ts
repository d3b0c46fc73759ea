// Locks of a call: which, in which order, and how long.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const network = { cniVersion: "1.1.0", name: "cluster", type: "virtfn", vlan: 7, ipam };
const prevResult = { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }], ips: [] };
const call = { ifName: "eth0" };
const pf = "0000:3b:00.0";
const vfs = ["0000:3b:02.0", "0000:3b:02.1", "0000:3b:02.2"];

/** A pod whose VFs get their names in another order than that of their addresses. */
function makeNode(): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  node.allocate("uid-web-1", { b: vfs.slice(0, 1), a: vfs.slice(1) });
  return node;
}

/** The host, which tells at each call of an IPAM plugin and each move of a link which locks are held. */
function watchLocks(node: FakeHost, seen: string[]): Host {
  const note = (what: string): void => {
    seen.push([what, ...[...node.locks.held].toSorted()].join(" "));
  };
  const openNetlink: Host["openNetlink"] = (netns) => {
    const netlink = node.host.openNetlink(netns);
    return {
      ...netlink,
      moveLink: (...args) => {
        note("move");
        netlink.moveLink(...args);
      },
      setVf: (...args) => {
        note("PF");
        netlink.setVf(...args);
      },
    };
  };
  const exec: Host["exec"] = {
    run: async (request) => {
      note("IPAM");
      return await node.host.exec.run(request);
    },
  };
  return { ...node.host, openNetlink, exec };
}

test("ADD takes the locks of all its VFs in PCI order before the first change, and has them to its end", async () => {
  using node = makeNode();
  const seen: string[] = [];
  const { json } = await callCni(watchLocks(node, seen), { ...network, prevResult }, call);
  expect(json).toMatchObject({
    interfaces: [{}, ...[1, 2, 0].map((vf) => ({ pciID: `0000:3b:02.${vf}` }))],
  });
  expect(node.locks.taken.slice(0, 3)).toEqual(vfs);
  expect(new Set(node.locks.taken.slice(3))).toEqual(new Set([pf]));
  expect(new Set(seen)).toEqual(
    new Set(
      [
        ["IPAM", ...vfs],
        ["PF", pf, ...vfs],
        ["move", ...vfs],
      ].map((parts) => parts.join(" ")),
    ),
  );
  expect(node.locks.held.size).toBe(0);
});

test("DEL takes them in PCI order, one at a time, each for all that is done with its VF", async () => {
  using node = makeNode();
  await callCni(node.host, { ...network, prevResult }, call);
  const before = node.locks.taken.length;
  const seen: string[] = [];
  await callCni(watchLocks(node, seen), network, { ...call, command: "DEL" });
  const taken = node.locks.taken.slice(before);
  expect(taken.filter((name) => name !== pf)).toEqual(vfs);
  const each = vfs.flatMap((vf) => [`IPAM ${vf}`, `move ${vf}`, `PF ${pf} ${vf}`]);
  expect(new Set(seen)).toEqual(new Set(each));
  expect(node.locks.held.size).toBe(0);
});

test("an ADD that cannot get all of its locks has none in the end, and changed nothing", async () => {
  using node = makeNode();
  const before = node.toText();
  using _lock = await node.host.locks.acquire("0000:3b:02.1");
  const { json } = await callCni(node.host, { ...network, prevResult }, call);
  expect(json).toMatchObject({ code: 11, msg: expect.stringMatching(/4711/) as string });
  expect([...node.locks.held]).toEqual(["0000:3b:02.1"]);
  expect(node.toText()).toBe(before);
});

test("an ADD without settings at the PF, a MAC among them, does not wait for who works on that", async () => {
  using node = makeNode();
  using _lock = await node.host.locks.acquire(pf);
  const plain = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: vfs[0] };
  expect(await callCni(node.host, plain)).toMatchObject({ exitCode: 0 });
  expect(node.clock.monotonicMs()).toBe(0);
  await callCni(node.host, plain, { command: "DEL" });
  const { json } = await callCni(node.host, { ...plain, mac: "02:aa:bb:cc:dd:01" });
  expect(json).toMatchObject({ code: 11, msg: expect.stringMatching(`lock/${pf}`) as string });
});

test("an ADD waits for no lock of another PF", async () => {
  using node = createFakeHost([
    { name: "ens1f0", address: "0000:3b:00.0", vfs: 1 },
    { name: "ens2f0", address: "0000:5e:00.0", vfs: 1 },
  ]);
  node.addNetns("web-1");
  using _lock = await node.host.locks.acquire(pf);
  const asking = { ...network, deviceID: "0000:5e:02.0", mac: "02:aa:bb:cc:dd:01" };
  const { exitCode } = await callCni(node.host, asking);
  expect(exitCode).toBe(0);
  expect(node.clock.monotonicMs()).toBe(0);
});

test("a VF is picked under the pick lock, which others get once the record is there, and not before", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "pfs: [ens1f0]\n");
  const seen: string[] = [];
  const host = watchLocks(node, seen);
  const writeAtomic: Host["files"]["writeAtomic"] = (path, ...rest) => {
    const isRecord = path.startsWith(node.host.paths.attachments);
    if (isRecord) seen.push(["record", ...[...node.locks.held].toSorted()].join(" "));
    node.host.files.writeAtomic(path, ...rest);
  };
  const picked = { cniVersion: "1.0.0", name: "lan", type: "virtfn", pf: "ens1f0", vlan: 7, ipam };
  const answer = await callCni({ ...host, files: { ...host.files, writeAtomic } }, picked);
  expect(answer.json).toMatchObject({ interfaces: [{ pciID: vfs[0] }] });
  expect(seen).toEqual([
    `record ${vfs[0]} pick`,
    `IPAM ${vfs[0]}`,
    `PF ${pf} ${vfs[0]}`,
    `move ${vfs[0]}`,
    `record ${vfs[0]}`,
  ]);
});
