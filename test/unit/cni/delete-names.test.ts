// The names of a VF on its way home.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { NetlinkError } from "../../../host/errors.ts";
import type { Netlink } from "../../../host/netlink/netlink.ts";
import { createAttachedNode } from "../../support/attached-node.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };
const done = { exitCode: 0, json: undefined };

/** The node's host, where the VF's name is somebody else's until `isFree`; `changes` gets each change of a link's name and each move. */
function watchNames(
  node: FakeHost,
  { isFree, changes = [] }: { readonly isFree: () => boolean; readonly changes?: string[] },
): FakeHost["host"] {
  return {
    ...node.host,
    openNetlink: (netns) => {
      const netlink = node.host.openNetlink(netns);
      return {
        ...netlink,
        getLink(ref) {
          const isTaken = netns === undefined && "name" in ref && ref.name === "ens1f0v1" && !isFree();
          return netlink.getLink(isTaken ? { name: "ens1f0" } : ref);
        },
        setLink(index, change) {
          if (change.set === "name") changes.push(change.value);
          netlink.setLink(index, change);
        },
        moveLink(index, target, name) {
          changes.push(`move as ${name ?? "it is"}`);
          netlink.moveLink(index, target, name);
        },
      };
    },
  };
}

test("DEL moves the VF home under its name with one request", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  const changes: string[] = [];
  const host = watchNames(node, { isFree: () => true, changes });
  expect(await callCni(host, config, { command: "DEL" })).toMatchObject(done);
  expect(changes).toEqual(["move as ens1f0v1"]);
  expect(node.toText()).toBe(before);
});

test("DEL moves the VF home under a name of its own while its own is taken there", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  const changes: string[] = [];
  const isFree = (): boolean => changes.length > 0;
  expect(await callCni(watchNames(node, { isFree, changes }), config, { command: "DEL" })).toMatchObject(
    done,
  );
  expect(changes).toEqual(["vf03b11", "move as it is", "ens1f0v1"]);
  expect(node.toText()).toBe(before);
});

test("DEL gives the name back that udev made an altname when the VF appeared under a temporary one", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  let isSeen = false;
  let looks = 0;
  const isFree = (): boolean => (looks += 1) > 1;
  const taken = watchNames(node, { isFree });
  const openNetlink: typeof node.host.openNetlink = (netns) => {
    const netlink = taken.openNetlink(netns);
    return {
      ...netlink,
      setLink(index, change) {
        if (netns === undefined && !isSeen && change.set === "name") {
          isSeen = true;
          netlink.addAltName(index, change.value);
        }
        netlink.setLink(index, change);
      },
    };
  };
  expect(await callCni({ ...node.host, openNetlink }, config, { command: "DEL" })).toMatchObject(done);
  expect(isSeen).toBe(true);
  expect(node.toText()).toBe(before);
});

/** What a pod can call its VF: as others on the host are called, as it was itself there, as DEL calls it on its way, or otherwise. */
const names = ["eth0", "ens1f0v0", "enp0s0v0", "ens1f0v1", "enp0s0v1", "vf03b11", "vg03b11", "net1", "net2"];
const act = fc.record({
  do: fc.constantFrom("name", "addAltName", "removeAltName", "up"),
  name: fc.constantFrom(...names),
});

test("however a pod names its VF, DEL brings it home under its own names", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 8 }), async (acts) => {
      using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
      node.addNetns("web-1");
      const before = node.toText();
      await callCni(node.host, config);
      using netns = node.host.namespaces.open("/run/netns/web-1");
      using inside = node.host.openNetlink(netns);
      const index = inside.getLink({ name: "net1" })?.index ?? 0;
      for (const one of acts) actAsPod(inside, index, one);
      expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
      expect(node.toText()).toBe(before);
    }),
    { seed: 1, numRuns: 40 },
  );
});

// What the kernel refuses a pod has tried in vain.
function actAsPod(inside: Netlink, index: number, { do: what, name }: { do: string; name: string }): void {
  try {
    if (what === "addAltName") inside.addAltName(index, name);
    if (what === "removeAltName") inside.removeAltName(index, name);
    if (what === "name") inside.setLink(index, { set: "up", value: false });
    if (what === "name") inside.setLink(index, { set: "name", value: name });
    if (what === "up") inside.setLink(index, { set: "up", value: true });
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
  }
}
