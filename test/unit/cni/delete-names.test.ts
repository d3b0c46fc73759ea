// The names of a VF on its way home.

import { expect, test } from "vitest";

import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };
const done = { exitCode: 0, json: undefined };

async function makeAttached(): Promise<{ readonly node: FakeHost; readonly before: string }> {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  const before = node.toText();
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  return { node, before };
}

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
  const { node, before } = await makeAttached();
  using _node = node;
  const changes: string[] = [];
  const host = watchNames(node, { isFree: () => true, changes });
  expect(await callCni(host, config, { command: "DEL" })).toMatchObject(done);
  expect(changes).toEqual(["move as ens1f0v1"]);
  expect(node.toText()).toBe(before);
});

test("DEL moves the VF home under a name of its own while its own is taken there", async () => {
  const { node, before } = await makeAttached();
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
  const { node, before } = await makeAttached();
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
