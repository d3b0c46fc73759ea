// A MAC that another function of the same PF has is given to nobody else.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { readAttachment, writeAttachment } from "../../../sriov/attachment-store.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
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

/**
 * The host for callers that do all at the same time: nobody goes on from the lock of one of the VFs before each is locked, and who
 * waits for the PF's lock has it the moment that it is free.
 */
function inStep(host: Host, pf: string, vfs: readonly string[]): Host {
  const locked = new Set<string>();
  const all = Promise.withResolvers<void>();
  let free = Promise.resolve();
  const acquire: Host["locks"]["acquire"] = async (name, options) => {
    if (name === pf) {
      const [before, released] = [free, Promise.withResolvers<void>()];
      free = released.promise;
      await before;
      return { path: name, [Symbol.dispose]: released.resolve };
    }
    const lock = await host.locks.acquire(name, options);
    locked.add(name);
    if (locked.size === vfs.length) all.resolve();
    await all.promise;
    return lock;
  };
  return { ...host, locks: { acquire } };
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

test("a MAC that another VF gets back from its pod is not free, also while that pod has another", async () => {
  using node = makeNode();
  const own = node.kernel.nics[0]?.link.vfs[1]?.mac ?? "";
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  const before = node.toText();
  const asking = { ...second.config, mac: own };
  const { json } = await callCni(node.host, asking, second.call);
  expect(json).toMatchObject({ code: 11 });
  expect(json?.["msg"]).toContain(`giving ${own} to ens1f0 vf 0: ens1f0 vf 1 gets it back from its pod`);
  expect(node.toText()).toBe(before);
  const elsewhere = { ...asking, deviceID: "0000:5e:02.0" };
  expect(await callCni(node.host, elsewhere, second.call)).toMatchObject({ exitCode: 0 });
});

test("a record of an earlier boot holds no MAC", async () => {
  using node = makeNode();
  const own = node.kernel.nics[0]?.link.vfs[1]?.mac ?? "";
  await callCni(node.host, config);
  const record = readAttachment(node.host, parsePciAddress(config.deviceID));
  if (record === undefined) throw new Error("no record");
  writeAttachment(node.host, { ...record, bootId: "before" });
  const answer = await callCni(node.host, { ...second.config, mac: own }, second.call);
  expect(answer).toMatchObject({ exitCode: 0 });
});

test("of two ADDs at once that ask for one MAC one gets it, and the other is told who has it", async () => {
  using node = makeNode();
  const before = node.toText();
  const host = inStep(node.host, "0000:3b:00.0", [config.deviceID, second.config.deviceID]);
  const answers = await Promise.all([callCni(host, config), callCni(host, second.config, second.call)]);
  expect(answers.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
  expect(node.kernel.nics[0]?.link.vfs.filter((vf) => vf.mac === mac)).toHaveLength(1);
  const refused = answers.find(({ exitCode }) => exitCode !== 0);
  expect(refused?.json).toMatchObject({ code: 11, msg: expect.stringMatching(/vf [01] has it/) as string });
  await callCni(node.host, config, { command: "DEL" });
  await callCni(node.host, second.config, { ...second.call, command: "DEL" });
  expect(node.toText()).toBe(before);
});

test("a MAC is another pod's, and no more the VF's that had it, also where the record of that was lost", async () => {
  using node = makeNode();
  const before = node.toText();
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  node.host.files.remove(`${node.host.paths.attachments}/0000:3b:02.1.json`);
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before.replace(" altnames enp0s0v1", ""));
  expect(await callCni(node.host, second.config, second.call)).toMatchObject({ exitCode: 0 });
  expect(node.toText().split(mac)).toHaveLength(3);
});
