// When the record of a VF is written, and how: what a kill leaves, and what a pod's start waits for.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createKillNode, killCases } from "../../support/kill-cases.ts";
import type { FakeHost } from "../../support/fake-host.ts";

interface Write {
  readonly name: string;
  readonly state: string;
  /** The node's links and leases then, without records. */
  readonly text: string;
}

function refuse(): never {
  throw new Error("something was to be on the disk before the pod goes on");
}

/** The host, which tells of each record that is written, and has no durable writes. */
function watchWrites(node: FakeHost, writes: Write[]): Host {
  const writeAtomic: Host["files"]["writeAtomic"] = (path, text, ...rest) => {
    if (path.startsWith(node.host.paths.attachments)) {
      const { state } = JSON.parse(text) as { readonly state: string };
      writes.push({ name: path.slice(-"02.1.json".length), state, text: textOf(node) });
    }
    node.host.files.writeAtomic(path, text, ...rest);
  };
  const files = { ...node.host.files, writeAtomic, writeDurable: refuse, replaceUnchanged: refuse };
  return { ...node.host, files };
}

function textOf(node: FakeHost): string {
  return node.toText().replaceAll(/\n(?:attachments|userspace|device-info) .*/g, "");
}

test.each(killCases)(
  "ADD $name writes each record before the first change and after the last, and waits for no disk",
  async ({ config, call }) => {
    using node = createKillNode({ config });
    const before = textOf(node);
    const writes: Write[] = [];
    const host = watchWrites(node, writes);
    expect(await callCni(host, config, call)).toMatchObject({ exitCode: 0 });
    const after = textOf(node);
    const names = [...new Set(writes.map(({ name }) => name))];
    expect(names).toHaveLength(call.ifName === "eth0" ? 2 : 1);
    // That a VF had no MAC of an administrator shows only when it takes another one.
    const [again] = "mac" in config ? writes.splice(names.length, 1) : [];
    expect(again?.state ?? "adding").toBe("adding");
    expect(writes).toEqual([
      ...names.map((name) => ({ name, state: "adding", text: before })),
      ...names.map((name) => ({ name, state: "attached", text: after })),
    ]);
    writes.length = 0;
    expect(await callCni(host, config, { ...call, command: "DEL" })).toMatchObject({ exitCode: 0 });
    expect(writes).toEqual(
      names.map((name) => expect.objectContaining({ name, state: "releasing" }) as unknown),
    );
    expect(textOf(node)).toBe(before);
  },
);

test.each(killCases)(
  "DEL of a container that ADD $name never reached succeeds and changes nothing",
  async (one) => {
    using node = createKillNode(one);
    const before = node.toText();
    for (const netns of ["/run/netns/web-1", "/run/netns/none", ""]) {
      const call = { ...one.call, command: "DEL", netns };
      expect(await callCni(node.host, one.config, call)).toMatchObject({ exitCode: 0, json: undefined });
      const { prevResult: _none, ...config } = one.config as { readonly prevResult?: object };
      expect(await callCni(node.host, config, call)).toMatchObject({ exitCode: 0, json: undefined });
      expect(node.toText()).toBe(before);
    }
  },
);

test("the index that the VF's link had is a hint: with another one in the record the VF comes home all the same", async () => {
  for (const ifindex of [1, 2, 4711, undefined]) {
    const [one] = killCases;
    if (one === undefined) throw new Error("there is no case");
    using node = createKillNode(one);
    const before = node.toText();
    await callCni(node.host, one.config, one.call);
    const path = `${node.host.paths.attachments}/0000:3b:02.1.json`;
    const record = JSON.parse(node.host.files.readText(path) ?? "") as { readonly device: object };
    const changed = { ...record, device: { ...record.device, ifindex } };
    node.host.files.writeAtomic(path, JSON.stringify(changed));
    expect(await callCni(node.host, one.config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
    expect({ ifindex, text: node.toText() }).toEqual({ ifindex, text: before });
  }
});
