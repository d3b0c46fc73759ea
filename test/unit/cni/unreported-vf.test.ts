// A PF that does not report one of its VFs for a while, as when its driver resets the VF, or a reload takes the PF's own interface away.

import { expect, test } from "vitest";

import { createAttachedNode, createPodNode, createUnrecordedNode } from "../../support/attached-node.ts";
import { callCni } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { withReportedVfs } from "../../support/unreported-vfs.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
  mtu: 9000,
  trust: "on",
};
const done = { exitCode: 0, json: undefined };

test.each(["that VF", "any VF"])(
  "a PF that does not report %s, as while a driver resets it, is waited for: the next pod must not get the settings of this one",
  async (which) => {
    const { node, before } = await createAttachedNode(config);
    using _node = node;
    const endMs = node.clock.monotonicMs() + 3_000;
    const silent = withReportedVfs(node.host, (info) =>
      node.clock.monotonicMs() < endMs && (which === "any VF" || info.vf === 1) ? undefined : info,
    );
    expect(await callCni(silent, config, { command: "DEL" })).toMatchObject(done);
    expect(node.toText()).toBe(before);
  },
);

test("a PF that does not report the VF for longer is an error, and the next DEL finishes", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  const silent = withReportedVfs(node.host, () => undefined);
  expect((await callCni(silent, config, { command: "DEL" })).json?.["msg"]).toMatch(
    /: the PF 0000:3b:00\.0 does not report its VF 1 \(for 10000 ms\), so that/,
  );
  expect(node.toText()).toContain("attachments 0000:3b:02.1.json");
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("with the record lost a PF that leaves the VF out is waited for, too", async () => {
  using node = await createUnrecordedNode(config);
  const endMs = node.clock.monotonicMs() + 3_000;
  const silent = withReportedVfs(node.host, (info) =>
    node.clock.monotonicMs() < endMs && info.vf === 1 ? undefined : info,
  );
  expect(await callCni(silent, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toContain("ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 0 qos 0 802.1q spoof on trust off");
});

test("a VF that its PF leaves out of those that it reports is waited for by ADD, and not given away without its PF", async () => {
  using node = createPodNode();
  const { vlan: _vlan, mac: _mac, ...plain } = config;
  const before = node.toText();
  const beginMs = node.clock.monotonicMs();
  const hidden = (forMs: number): FakeHost["host"] =>
    withReportedVfs(node.host, (info) =>
      info.vf === 1 && node.clock.monotonicMs() < beginMs + forMs ? undefined : info,
    );
  const { json } = await callCni(hidden(60_000), plain);
  expect(json?.["msg"]).toMatch(
    /^ERR_VF_MISSING: step "claim": the PF 0000:3b:00\.0 does not report its VF 1/,
  );
  expect(node.toText()).toBe(before);
  expect(await callCni(hidden(13_000), { ...plain, vlan: 100 })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toContain("ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 100");
});
