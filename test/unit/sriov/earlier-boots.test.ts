// After a reboot the first ADD frees what the pods of before still have on disk.

import { expect, test } from "vitest";

import { ExecError } from "../../../host/errors.ts";
import type { Exec } from "../../../host/exec.ts";
import type { Host } from "../../../host/host.ts";
import { releaseEarlierBoots } from "../../../sriov/earlier-boots.ts";
import { isReleasedThisBoot } from "../../../sriov/released-boot.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};
const device = (vf: number): string => `0000:3b:02.${vf}`;
const recordPath = (node: FakeHost, vf: number): string =>
  `${node.host.paths.attachments}/${device(vf)}.json`;

/** A node that was started again while the pods web-1 and web-2 had VF 0 and 1; nobody has called DEL for them. */
async function makeRebooted(): Promise<FakeHost> {
  const node = createFakeHost();
  for (const pod of [1, 2]) expect(await add(node, pod, pod - 1)).toMatchObject({ exitCode: 0 });
  for (const pod of [1, 2]) node.removeNetns(`web-${pod}`);
  node.clock.reboot();
  return node;
}

async function add(
  node: FakeHost,
  pod: number,
  vf: number,
  host: Host = node.host,
): Promise<{ readonly exitCode: number; readonly stderr: string }> {
  const netns = node.addNetns(`web-${pod}`);
  const call = { containerId: `c${pod}`, netns, args: podArgs(`web-${pod}`) };
  return await callCni(host, { ...config, deviceID: device(vf) }, call);
}

function listHolders(node: FakeHost): readonly string[] {
  return node
    .toText()
    .split("\n")
    .filter((line) => /attachments|lease/.test(line));
}

test("the first ADD of a boot frees the records and leases of pods that never come back", async () => {
  using node = await makeRebooted();
  expect(listHolders(node)).toHaveLength(4);
  const { exitCode, stderr } = await add(node, 3, 3);
  expect(exitCode).toBe(0);
  expect(stderr).not.toContain("left of an earlier boot");
  const holders = listHolders(node);
  expect(holders).toHaveLength(2);
  expect(holders.join("\n")).not.toMatch(/c1|c2|02\.[01]/);
  expect(isReleasedThisBoot(node.host)).toBe(true);
});

test("so does an ADD of a pod without a VF", async () => {
  using node = await makeRebooted();
  const netns = node.addNetns("web-3");
  const prevResult = { cniVersion: "1.0.0", interfaces: [], ips: [] };
  const answer = await callCni(node.host, { ...config, prevResult }, { netns, args: podArgs("web-3") });
  expect(answer).toMatchObject({ exitCode: 0 });
  expect(listHolders(node)).toEqual([]);
});

test("a record of this boot stays, whatever its owner", async () => {
  using node = await makeRebooted();
  await add(node, 3, 3);
  node.removeNetns("web-3");
  node.host.files.remove(node.host.paths.releasedBoot);
  expect(await releaseEarlierBoots(node.host)).toEqual({ problems: [], left: [], setAside: [] });
  expect(listHolders(node)).toHaveLength(2);
});

test("a record that a power cut emptied is moved aside", async () => {
  using node = await makeRebooted();
  node.host.files.writeAtomic(recordPath(node, 1), "");
  expect(await releaseEarlierBoots(node.host)).toMatchObject({
    problems: [],
    setAside: [{ address: device(1), reason: expect.stringContaining("the file is empty") as string }],
  });
  expect(node.host.files.list(node.host.paths.attachments)).toEqual([]);
  expect(node.host.files.list(node.host.paths.quarantine)).toHaveLength(2);
});

test("a record of an unknown format is left where it is", async () => {
  using node = await makeRebooted();
  const json = {
    ...(JSON.parse(node.host.files.readText(recordPath(node, 1)) ?? "") as object),
    format: "9.0",
  };
  node.host.files.writeAtomic(recordPath(node, 1), JSON.stringify(json));
  expect(await releaseEarlierBoots(node.host)).toEqual({ problems: [], left: [], setAside: [] });
  expect(node.host.files.list(node.host.paths.attachments)).toEqual([`${device(1)}.json`]);
});

test("a VF that somebody holds the lock of is left to them", async () => {
  using node = await makeRebooted();
  using _lock = await node.host.locks.acquire(device(0));
  expect(await releaseEarlierBoots(node.host)).toEqual({ problems: [], left: [], setAside: [] });
  expect(node.host.files.list(node.host.paths.attachments)).toEqual([`${device(0)}.json`]);
});

test("an IPAM delegate that fails keeps its record, stops neither the others nor the pod, and is told once", async () => {
  using node = await makeRebooted();
  const exec: Exec = {
    run: async (request) => {
      if (request.env["CNI_CONTAINERID"] === "c1") throw new ExecError(request.command, "the store is gone");
      return await node.host.exec.run(request);
    },
  };
  const first = await add(node, 3, 3, { ...node.host, exec });
  expect(first).toMatchObject({ exitCode: 0 });
  expect(first.stderr).toContain('level=warning msg="left of an earlier boot"');
  expect(first.stderr).toContain("the store is gone");
  expect(node.host.files.list(node.host.paths.attachments)).toEqual([
    `${device(0)}.json`,
    `${device(3)}.json`,
  ]);
  const second = await add(node, 4, 2);
  expect(second.exitCode).toBe(0);
  expect(second.stderr).not.toContain("left of an earlier boot");
});

test("one that hangs does not keep pods from starting for longer than a runtime waits, nor any pod but the first ones", async () => {
  using node = createFakeHost();
  for (const vf of [0, 1, 2]) expect(await add(node, vf, vf)).toMatchObject({ exitCode: 0 });
  for (const vf of [0, 1, 2]) node.removeNetns(`web-${vf}`);
  node.clock.reboot();
  const exec: Exec = {
    run: async (request) => {
      if (request.env["CNI_COMMAND"] !== "DEL") return await node.host.exec.run(request);
      await node.clock.sleep(60_000);
      throw new ExecError(request.command, "did not end within 60000 ms");
    },
  };
  const host = { ...node.host, exec };
  const beginMs = node.clock.monotonicMs();
  const first = await add(node, 3, 3, host);
  expect(first).toMatchObject({ exitCode: 0 });
  expect(node.clock.monotonicMs() - beginMs).toBeLessThan(120_000);
  expect(first.stderr).toMatch(/left of an earlier boot" .*did not end within/);
  for (const vf of [1, 2])
    expect(first.stderr).toMatch(new RegExp(`left of an earlier boot" .*pciAddress=${device(vf)} `));
  expect(isReleasedThisBoot(node.host)).toBe(true);
  const secondMs = node.clock.monotonicMs();
  const prevResult = { cniVersion: "1.0.0", interfaces: [], ips: [] };
  const call = { netns: node.addNetns("web-4"), args: podArgs("web-4") };
  expect(await callCni(host, { ...config, prevResult }, call)).toMatchObject({ exitCode: 0 });
  expect(node.clock.monotonicMs()).toBe(secondMs);
  // What is left is found by whoever looks for it.
  expect(listHolders(node).filter((line) => line.startsWith("attachments"))).toHaveLength(4);
});
