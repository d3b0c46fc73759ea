// ADD of a VF whose last pod's namespace is being taken down: the kernel brings the VF back, a little later.

import { expect, test } from "vitest";

import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", vlan: 7 };
const second = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };

/** A node on which the VF of web-1, which ended without DEL, comes back after so long. */
async function makeNode(returnAfterMs: number): Promise<FakeHost> {
  const node = createFakeHost();
  for (const name of ["web-1", "web-2"]) node.addNetns(name);
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  node.removeNetns("web-1", returnAfterMs);
  return node;
}

test.each([1, 500, 9500])(
  "a VF that comes back after %i ms is given then, without anything of before",
  async (ms) => {
    using node = await makeNode(ms);
    const { vlan: _none, ...plain } = config;
    const beginMs = node.clock.monotonicMs();
    expect((await callCni(node.host, plain, second)).json).toMatchObject({ interfaces: [{ name: "net1" }] });
    expect(node.clock.monotonicMs() - beginMs).toBeLessThan(ms + 1000);
    expect(node.toText()).toContain("vf 1 mac 02:00:00:00:00:01 vlan 0 ");
  },
);

test("one that does not is error 11 after 10 s, and the next try has it", async () => {
  using node = await makeNode(15_000);
  const beginMs = node.clock.monotonicMs();
  const { json } = await callCni(node.host, config, second);
  expect(json).toMatchObject({
    code: 11,
    msg: expect.stringContaining("but the VF is not back on the host yet") as string,
  });
  const waitedMs = node.clock.monotonicMs() - beginMs;
  expect([waitedMs >= 10_000, waitedMs < 11_000]).toEqual([true, true]);
  expect(node.locks.held.size).toBe(0);
  await node.clock.advance(6000);
  expect(await callCni(node.host, config, second)).toMatchObject({ exitCode: 0 });
});
