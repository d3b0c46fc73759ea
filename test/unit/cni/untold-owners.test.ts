// VFs without a netdev of which no file tells whose they are: freed once nothing can have them, never earlier.

import * as fs from "node:fs";
import { basename, join } from "node:path";

import { expect, test } from "vitest";

import { readHolders } from "../../../kubelet/device-holders.ts";
import { writeAdvertisedPools } from "../../../sriov/advertised-pools.ts";
import { type Holders, ofGoneOwners } from "../../../sriov/gone-owners.ts";
import { applyRepair, planRepair } from "../../../sriov/repair.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { createUserspaceNode, userspaceConfig as config } from "../../support/userspace-node.ts";

const second = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };

/** A node on which web-1 has a VF of vfio-pci that the kubelet gave it, and nothing on disk tells so. */
async function createUntoldNode(): Promise<FakeHost> {
  const node = createUserspaceNode([1]);
  writeAdvertisedPools(node.host, new Map([["sriov/vf", [config.deviceID]]]));
  node.allocate("uid-web-1", { app: [config.deviceID] });
  expect(await callCni(node.host, { ...config, trust: "on" })).toMatchObject({ exitCode: 0 });
  node.host.files.remove(`${node.host.paths.attachments}/${config.deviceID}.json`);
  node.host.files.writeAtomic(`${node.host.paths.userspaceCopies}/${config.deviceID}.json`, "");
  return node;
}

/** Process 4711 has the file open, `undefined`: it has ended. */
function open(node: FakeHost, file: string | undefined): void {
  const folder = join(node.host.paths.proc, "4711");
  fs.rmSync(folder, { recursive: true, force: true });
  if (file === undefined) return;
  fs.mkdirSync(join(folder, "fd"), { recursive: true });
  fs.symlinkSync(file, join(folder, "fd/5"));
}

const holders =
  ({ host }: FakeHost): Holders =>
  (device) =>
    readHolders(host, device);

function judge(node: FakeHost): readonly unknown[] {
  return planRepair(node.host, ofGoneOwners(node.host, holders(node))).map(({ action, reason }) => [
    action,
    reason.replace(/^.*cannot be told: reading the record \S+0000:3b:02\.1\.json: [^;]*; /, ""),
  ]);
}

const kept = (why: string): readonly unknown[] => [["keep", `${why}; if no pod has it, delete that file`]];

test("a VF of which no file tells whose it is is freed when no process has it open, and the kubelet no pod that it gave it to", async () => {
  using node = await createUntoldNode();
  const group = node.host.files.readLink(
    `${node.host.paths.sys}/bus/pci/devices/${config.deviceID}/iommu_group`,
  );
  const vfio = `/dev/vfio/${basename(group ?? "")}`;
  const given = node.toText();
  open(node, vfio);
  expect(judge(node)).toEqual(kept(`process 4711 has ${vfio} open`));
  open(node, "anon_inode:[vfio-device]");
  expect(judge(node)).toEqual(kept("process 4711 has a device of vfio open, and which cannot be told"));
  open(node, undefined);
  expect(judge(node)).toEqual(kept("the kubelet gave it to the pod with UID uid-web-1"));
  node.host.files.remove(node.host.paths.kubelet.checkpoint);
  expect(judge(node)).toEqual(kept("which pod the kubelet gave it to cannot be read"));
  node.allocate("uid-web-2", { app: ["0000:3b:02.2"] });
  node.host.files.remove(node.host.paths.pools);
  expect(judge(node)).toEqual(kept("it is not offered to the kubelet, which then cannot tell who has it"));
  expect(node.toText()).toBe(given);
  writeAdvertisedPools(node.host, new Map([["sriov/vf", [config.deviceID]]]));
  const rule = ofGoneOwners(node.host, holders(node));
  const [step] = await applyRepair(node.host, rule, planRepair(node.host, rule), { lockTimeoutMs: 0 });
  expect(step).toMatchObject({ action: "reset", problem: undefined });
  expect(node.toText()).toContain("ens1f0 vf 1 mac 00:00:00:00:00:00 vlan 0 qos 0 802.1q spoof on trust off");
  expect(node.toText()).not.toContain("userspace 0000");
});

test("the next pod that the kubelet gives it to gets it, and not while a process has it", async () => {
  using node = await createUntoldNode();
  expect((await callCni(node.host, config, second)).json).toMatchObject({
    code: 7,
    msg: expect.stringContaining("not allocated to that pod") as string,
  });
  // The kubelet forgets a pod that ended at the latest when it gives its device to another.
  node.host.files.remove(node.host.paths.kubelet.checkpoint);
  node.allocate("uid-web-2", { app: [config.deviceID] });
  open(node, "anon_inode:[vfio-device]");
  const path = `${node.host.paths.userspaceCopies}/${config.deviceID}.json`;
  const { json } = await callCni(node.host, config, second);
  expect(json).toMatchObject({ code: 11 });
  expect(json?.["msg"]).toContain(path);
  expect(json?.["msg"]).toMatch(/process 4711 has .*; if no pod has it, delete that file$/);
  open(node, undefined);
  expect(await callCni(node.host, config, second)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toContain("vlan 100 qos 0 802.1q spoof on trust off");
});

test("of a VF that is not there any more nothing is kept", async () => {
  using node = await createUntoldNode();
  fs.rmSync(`${node.host.paths.sys}/bus/pci/devices/${config.deviceID}/physfn`);
  const rule = ofGoneOwners(node.host, holders(node));
  await applyRepair(node.host, rule, planRepair(node.host, rule), { lockTimeoutMs: 0 });
  expect(node.toText()).not.toContain("userspace 0000");
});
