// A VF whose name on the host is another link's by the time it comes home: all but the name is as before, and the name follows.

import { expect, test } from "vitest";

import { runRepair } from "../../../cli/repair/main.ts";
import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { createAttachedNode } from "../../support/attached-node.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { withFault } from "../../support/faults.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", vlan: 7, ipam };
const done = { exitCode: 0, json: undefined };
const second = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };

function takeName({ host }: Pick<FakeHost, "host">): void {
  using home = host.openNetlink();
  home.addAltName(home.getLink({ name: "eth0" })?.index ?? 0, "ens1f0v1");
}

function freeName({ host }: FakeHost): void {
  using home = host.openNetlink();
  home.removeAltName(home.getLink({ name: "eth0" })?.index ?? 0, "ens1f0v1");
}

/** The host, where another link gets the VF's name while the kernel moves the VF home. */
function takeDuringMove(node: FakeHost): Host {
  const openNetlink: Host["openNetlink"] = (netns) => {
    const netlink = node.host.openNetlink(netns);
    return {
      ...netlink,
      moveLink(index, target, name) {
        takeName(node);
        netlink.moveLink(index, target, name);
      },
    };
  };
  return { ...node.host, openNetlink };
}

/** The node's text, without what tells that `eth0` has the name, in an order that does not depend on the VF's name. */
function linesOf(text: string): readonly string[] {
  return text.replace(" altnames ens1f0v1", "").split("\n").toSorted();
}

/** `before` with the VF under the name that it gets instead. */
function displaced(before: string): readonly string[] {
  return [...linesOf(before.replace("ens1f0v1 0000", "vf03b11 0000")), "names 0000:3b:02.1.json"].toSorted();
}

async function repair(host: Host, ...args: readonly string[]): Promise<string> {
  let text = "";
  expect(await runRepair(host, args, (part) => (text += part))).toBe(0);
  return text;
}

test.each(["before DEL", "while the kernel moves the VF", "before DEL, which finds no namespace"])(
  "DEL succeeds with a name taken %s; the VF has one of its own, and its name again when that is free",
  async (when) => {
    const { node, before } = await createAttachedNode(config);
    using _node = node;
    const isDuring = when.startsWith("while");
    if (!isDuring) takeName(node);
    if (when.includes("no namespace")) node.removeNetns("web-1");
    const text = when.includes("no namespace") ? before.replace("\n/run/netns/web-1", "") : before;
    const host = isDuring ? takeDuringMove(node) : node.host;
    const ended = await callCni(host, config, { command: "DEL" });
    expect(ended).toMatchObject(done);
    expect(ended.stderr).toMatch(
      /level=warning msg="the VF's name is another link's: it gets it back when that is free" .*pciAddress=0000:3b:02\.1 name=ens1f0v1/,
    );
    expect(linesOf(node.toText())).toEqual(displaced(text));
    const again = await callCni(node.host, config, { command: "DEL", netns: "" });
    expect(again).toMatchObject(done);
    expect(again.stderr).not.toContain("warning");
    expect(await repair(node.host)).toMatch(
      /0000:3b:02\.1 +nobody +kept +its name ens1f0v1 is another link's/,
    );
    expect(linesOf(node.toText())).toEqual(displaced(text));
    freeName(node);
    expect(await repair(node.host, "--dry-run")).toMatch(
      /nobody +would be renamed +its name ens1f0v1 is free again/,
    );
    expect(linesOf(node.toText())).toEqual(displaced(text));
    expect(await repair(node.host)).toMatch(
      /0000:3b:02\.1 +nobody +renamed +its name ens1f0v1 is free again/,
    );
    expect(node.toText()).toBe(text);
    expect(await repair(node.host)).toBe("no VF is in use\n");
  },
);

test("the next pod's DEL gives the name back, too; without it the VF keeps the one that it has", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  node.addNetns("web-2");
  const text = before.replace("/run/netns/web-1", "/run/netns/web-1\n/run/netns/web-2");
  takeName(node);
  await callCni(node.host, config, { command: "DEL" });
  for (const isFree of [false, true]) {
    expect(await callCni(node.host, config, second)).toMatchObject({ exitCode: 0 });
    if (isFree) freeName(node);
    expect(await callCni(node.host, config, { ...second, command: "DEL" })).toMatchObject(done);
    expect(linesOf(node.toText())).toEqual(isFree ? linesOf(text) : displaced(text));
  }
  expect(node.toText()).toBe(text);
});

test("the name is given to no other VF at the address, and not while the node or a pod uses the VF", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.addNetns("web-2");
  takeName(node);
  await callCni(node.host, config, { command: "DEL" });
  await callCni(node.host, config, second);
  freeName(node);
  const given = node.toText();
  expect(await repair(node.host)).not.toContain("renamed");
  expect(node.toText()).toBe(given);
  takeName(node);
  await callCni(node.host, config, { ...second, command: "DEL" });
  freeName(node);
  using home = node.host.openNetlink();
  const index = home.getLink({ name: "vf03b11" })?.index ?? 0;
  home.setLink(index, { set: "up", value: true });
  expect(await repair(node.host)).toMatch(/kept +it is up as vf03b11/);
  home.setLink(index, { set: "up", value: false });
  const note = `${node.host.paths.homeNames}/0000:3b:02.1.json`;
  const text = node.host.files.readText(note) ?? "";
  node.host.files.writeAtomic(note, text.replace(/"inode":"\d+"/, '"inode":"1"'));
  for (const spoilt of [undefined, ""]) {
    if (spoilt !== undefined) node.host.files.writeAtomic(note, spoilt);
    expect(await repair(node.host)).toMatch(
      /nobody +kept +it is called vf03b11, and its name before is not known/,
    );
    expect(home.getLink({ index })?.name).toBe("vf03b11");
  }
});

test("a note that cannot be read is told, and keeps no other VF from being given back", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  node.removeNetns("web-1");
  node.host.files.writeAtomic(`${node.host.paths.homeNames}/0000:3b:02.0.json/x`, "");
  let text = "";
  expect(await runRepair(node.host, [], (part) => (text += part))).toBe(1);
  expect(text).toMatch(/0000:3b:02\.0 +nobody +failed +ERR_SYSTEM_CALL: .*names\/0000:3b:02\.0\.json/);
  expect(text).toMatch(/0000:3b:02\.1 .*released/);
  expect(node.toText()).toContain(before.split("\n").find((line) => line.includes("ens1f0v1 0000")));
});

test("a VF that somebody gave another name meanwhile keeps that, after pods, too", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.addNetns("web-2");
  takeName(node);
  await callCni(node.host, config, { command: "DEL" });
  using home = node.host.openNetlink();
  const index = home.getLink({ name: "vf03b11" })?.index ?? 0;
  home.setLink(index, { set: "name", value: "blue0" });
  for (const isFree of [false, true]) {
    if (isFree) freeName(node);
    expect(await repair(node.host)).toBe("no VF is in use\n");
    expect(await callCni(node.host, config, second)).toMatchObject({ exitCode: 0 });
    expect(await callCni(node.host, config, { ...second, command: "DEL" })).toMatchObject(done);
    expect(home.getLink({ index })?.name).toBe("blue0");
  }
});

/** A node is made for each host call. */
const slowMs = 120_000;

test.each(["DEL", "repair"])(
  "killed at any host call of %s, the next one completes it",
  async (verb) => {
    const total = await runKilled(verb, undefined);
    expect(total).toBeGreaterThan(5);
    for (let at = 0; at < total; at += 1) await runKilled(verb, at);
  },
  slowMs,
);

/** The verb on a new node, killed after call number `killAt`, and what completes it; how many calls it made. */
async function runKilled(verb: string, killAt: number | undefined): Promise<number> {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  takeName(node);
  const isDel = verb === "DEL";
  if (!isDel) await callCni(node.host, config, { command: "DEL" });
  if (!isDel) freeName(node);
  const faulty = withFault(node.host, killAt === undefined ? undefined : { at: killAt, how: "killAfter" });
  await (isDel
    ? callCni(faulty.host, config, { command: "DEL" })
    : runRepair(faulty.host, [], () => {}).catch(() => "killed"));
  node.endProcess();
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  const lines = linesOf(node.toText());
  expect({ killAt, lines: isDel ? lines : displaced(before) }).toEqual({ killAt, lines: displaced(before) });
  if (isDel) freeName(node);
  await repair(node.host);
  expect({ verb, killAt, text: node.toText() }).toEqual({ verb, killAt, text: before });
  return faulty.calls.length;
}

/** The host with no room for files below those folders. */
function fill(host: Host, ...folders: readonly string[]): Host {
  const writeAtomic: Host["files"]["writeAtomic"] = (path, ...rest) => {
    if (folders.some((folder) => path.startsWith(folder))) throw new SystemCallError("write", path, "ENOSPC");
    host.files.writeAtomic(path, ...rest);
  };
  return { ...host, files: { ...host.files, writeAtomic } };
}

test("with a full /run the name is noted on the disk, and not lost", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  takeName(node);
  const host = fill(node.host, `${node.root}/run/`);
  const ended = await callCni(host, config, { command: "DEL" });
  expect(ended).toMatchObject(done);
  expect(ended.stderr).toContain("it gets it back when that is free");
  expect(linesOf(node.toText())).toEqual(displaced(before));
  expect(node.host.files.list(node.host.paths.homeNames)).toBeUndefined();
  freeName(node);
  expect(await repair(node.host)).toMatch(/renamed +its name ens1f0v1 is free again/);
  expect(node.toText()).toBe(before);
});

test("with both full no pod is kept from ending, the VF is told of, and keeps the name that it has", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  node.addNetns("web-2");
  takeName(node);
  const host = fill(node.host, `${node.root}/run/`, `${node.root}/var/`);
  const ended = await callCni(host, config, { command: "DEL" });
  expect(ended).toMatchObject(done);
  expect(ended.stderr).toMatch(
    /level=warning msg="the VF's name is another link's, and could not be noted" .*pciAddress=0000:3b:02\.1 name=ens1f0v1 now=vf03b11/,
  );
  const text = before.replace("/run/netns/web-1", "/run/netns/web-1\n/run/netns/web-2");
  const nameless = displaced(text).filter((line) => !line.startsWith("names "));
  expect(linesOf(node.toText())).toEqual(nameless);
  freeName(node);
  for (const args of [["--dry-run"], []])
    expect(await repair(node.host, ...args)).toMatch(
      /0000:3b:02\.1 +nobody +(?:keep|kept) +it is called vf03b11, and its name before is not known: ip link set vf03b11 name NAME/,
    );
  expect(await callCni(node.host, config, second)).toMatchObject({ exitCode: 0 });
  expect(await repair(node.host)).not.toContain("nobody");
  expect(await callCni(node.host, config, { ...second, command: "DEL" })).toMatchObject(done);
  expect(linesOf(node.toText())).toEqual(nameless);
  using home = node.host.openNetlink();
  home.setLink(home.getLink({ name: "vf03b11" })?.index ?? 0, { set: "name", value: "ens1f0v1" });
  expect(await repair(node.host)).toBe("no VF is in use\n");
});
