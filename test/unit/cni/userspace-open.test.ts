// VFs for programs in userspace that a process of the node has open: a virtual machine's, or those of a program beside Kubernetes.

import * as fs from "node:fs";
import { basename } from "node:path";

import { expect, test } from "vitest";

import { callCni, podArgs } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { createUserspaceNode, userspaceConfig, vfioAllowed } from "../../support/userspace-node.ts";

const config = { ...userspaceConfig, trust: "on" };
const bound = { ...config, driver: "vfio-pci" };
const second = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };

/** Process 4711 has the VFs open, by their numbers. */
function open(node: FakeHost, ...vfs: readonly number[]): void {
  const { files, paths } = node.host;
  const folder = `${paths.proc}/4711/fd`;
  fs.mkdirSync(folder, { recursive: true });
  for (const vf of vfs) {
    const group = files.readLink(`${paths.sys}/bus/pci/devices/0000:3b:02.${vf}/iommu_group`) ?? "";
    fs.symlinkSync(`/dev/vfio/${basename(group)}`, `${folder}/${vf}`);
  }
}

test("one that a process of the node has open is no pod's, unless the kubelet gave it to the pod", async () => {
  using node = createUserspaceNode([1]);
  open(node, 1);
  const before = node.toText();
  const { json } = await callCni(node.host, config);
  expect(json).toMatchObject({
    code: 11,
    msg: expect.stringMatching(
      /^ERR_VF_BUSY: .*cannot give 0000:3b:02\.1 to pod shop\/web-1 as net1: process 4711 has \/dev\/vfio\/\d+ open$/,
    ) as string,
  });
  expect(node.toText()).toBe(before);
  node.allocate("uid-web-1", { app: [config.deviceID] });
  expect((await callCni(node.host, config)).exitCode).toBe(0);
});

test("nor is one picked: the next is, as long as there is one", async () => {
  using node = createUserspaceNode([0, 1, 2], `pfs: [ens1f0]\n${vfioAllowed}`);
  open(node, 0, 1);
  const { deviceID: _none, ...picked } = { ...bound, pf: "ens1f0" };
  expect((await callCni(node.host, picked)).json).toMatchObject({
    interfaces: [{ pciID: "0000:3b:02.2" }],
  });
  const { json } = await callCni(node.host, { ...picked, mac: "02:aa:bb:cc:dd:02" }, second);
  expect(json?.["msg"]).toMatch(
    /^ERR_VF_BUSY: .*0000:3b:02\.0: process 4711 has \/dev\/vfio\/\d+ open; 0000:3b:02\.1: process/,
  );
});

test("where not all processes of the machine are seen, as in a node that is a container, those that are seen count", async () => {
  using node = createUserspaceNode([1, 2]);
  open(node, 2);
  const own = `${node.host.paths.proc}/self/ns/pid`;
  fs.rmSync(own);
  fs.symlinkSync("pid:[4026532999]", own);
  const { json } = await callCni(node.host, { ...config, deviceID: "0000:3b:02.2" });
  expect(json?.["msg"]).toMatch(/process 4711 has \/dev\/vfio\/\d+ open$/);
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
});
