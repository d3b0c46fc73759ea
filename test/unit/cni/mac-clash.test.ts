// A MAC that another function of the same PF has is given to nobody else.

import { expect, test } from "vitest";

import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const mac = "02:aa:bb:cc:dd:01";
const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", mac };
const second = {
  config: { ...config, deviceID: "0000:3b:02.0" },
  call: { containerId: "c2", netns: "/run/netns/web-2" },
};

function makeNode(): FakeHost {
  const pfs = [
    { name: "ens1f0", address: "0000:3b:00.0", vfs: 2 },
    { name: "ens2f0", address: "0000:5e:00.0", vfs: 1 },
  ];
  const node = createFakeHost(pfs);
  for (const name of ["web-1", "web-2"]) node.addNetns(name);
  return node;
}

test("a second pod that asks for the MAC is told to try again, and gets it when the first is gone", async () => {
  using node = makeNode();
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  const before = node.toText();
  const { json } = await callCni(node.host, second.config, second.call);
  expect(json).toMatchObject({ code: 11 });
  expect(json?.["msg"]).toContain(`giving ${mac} to ens1f0 vf 0: ens1f0 vf 1 has it`);
  expect(node.toText()).toBe(before);
  await callCni(node.host, config, { command: "DEL" });
  expect(await callCni(node.host, second.config, second.call)).toMatchObject({ exitCode: 0 });
});

test("the PF's own MAC is taken too; a VF of another PF may have any", async () => {
  using node = makeNode();
  const ofPf = node.kernel.nics[0]?.link.mac ?? "";
  const { json } = await callCni(node.host, { ...config, mac: ofPf.toUpperCase() });
  expect(json?.["msg"]).toContain("ens1f0 itself has it");
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  const elsewhere = { ...config, deviceID: "0000:5e:02.0" };
  expect(await callCni(node.host, elsewhere, second.call)).toMatchObject({ exitCode: 0 });
});

test("a VF may keep the MAC that it has already", async () => {
  using node = makeNode();
  const own = node.kernel.nics[0]?.link.vfs[1]?.mac ?? "";
  expect(await callCni(node.host, { ...config, mac: own })).toMatchObject({ exitCode: 0 });
});

test("two ADDs at once that ask for one MAC: never do both have it", async () => {
  using node = makeNode();
  const before = node.toText();
  const answers = await Promise.all([
    callCni(node.host, config),
    callCni(node.host, second.config, second.call),
  ]);
  const holders = node.kernel.nics[0]?.link.vfs.filter((vf) => vf.mac === mac) ?? [];
  expect(holders.length).toBeLessThan(2);
  expect(answers.filter(({ exitCode }) => exitCode === 0)).toHaveLength(holders.length);
  await callCni(node.host, config, { command: "DEL" });
  await callCni(node.host, second.config, { ...second.call, command: "DEL" });
  expect(node.toText()).toBe(before);
});
