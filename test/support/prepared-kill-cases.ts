// ADDs that first do something else: make the VFs, or give back what a pod before left. Each with the node that it finds.

import { expect } from "vitest";

import { callCni, podArgs } from "./cni-call.ts";
import { createFakeHost, type FakeHost } from "./fake-host.ts";
import type { KillCase } from "./kill-cases.ts";

export interface PreparedKillCase extends KillCase {
  /** VFs of the node's only PF at first. */
  readonly vfs: number;
  /** Brings the node to where ADD finds it. */
  readonly prepare: (node: FakeHost) => Promise<void>;
  /** Whether GC and repair leave the node as a whole ADD and DEL do: they make no VFs. */
  readonly isMadeByAddOnly?: true;
}

const network = { cniVersion: "1.1.0", name: "blue", type: "virtfn" };
const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const device = { ...network, deviceID: "0000:3b:02.1", vlan: 100, ipam };
const settings = { vlan: 7, trust: "on", mac: "02:aa:bb:cc:dd:00" };

export const preparedKillCases: readonly PreparedKillCase[] = [
  {
    name: "of a PF that has no VFs yet",
    vfs: 0,
    config: { ...network, pf: "ens1f0", vlan: 100, ips: ["192.0.2.50/24"] },
    call: {},
    prepare: () => Promise.resolve(),
    isMadeByAddOnly: true,
  },
  {
    name: "of a VF whose pod is going",
    vfs: 2,
    config: device,
    call: {},
    prepare: async (node) => {
      await addOldPod(node, { ...device, ...settings });
      node.removeNetns("web-0", 300);
    },
  },
  {
    name: "of a VF whose record cannot be read, and whose pod is gone",
    vfs: 2,
    config: device,
    call: {},
    prepare: async (node) => {
      await addOldPod(node, { ...device, ...settings });
      node.removeNetns("web-0");
      changeRecord(node, { announce: "failed" });
    },
  },
  {
    name: "that is the first of a boot, with records of the one before",
    vfs: 2,
    config: device,
    call: {},
    prepare: async (node) => {
      for (const vf of [0, 1])
        await addOldPod(node, { ...network, ipam, deviceID: `0000:3b:02.${vf}` }, `net${vf}`);
      node.removeNetns("web-0");
      node.clock.reboot();
    },
  },
];

/** The node before `prepare`: pods shop/web-1 and shop/web-2 have a namespace, and there is no kubelet. */
export function createPreparedNode({ vfs }: PreparedKillCase): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs, isDown: vfs === 0 }]);
  for (const name of ["web-1", "web-2"]) node.addNetns(name);
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "pfs:\n  - name: ens1f0\n    numVfs: 2\n");
  return node;
}

async function addOldPod(node: FakeHost, config: object, ifName = "net1"): Promise<void> {
  const netns = "/run/netns/web-0";
  if (node.host.files.stat(`${node.root}${netns}`) === undefined) node.addNetns("web-0");
  const call = { containerId: "c0", netns, args: podArgs("web-0"), ifName };
  expect(await callCni(node.host, config, call)).toMatchObject({ exitCode: 0 });
}

function changeRecord(node: FakeHost, change: object): void {
  const path = `${node.host.paths.attachments}/0000:3b:02.1.json`;
  const record = JSON.parse(node.host.files.readText(path) ?? "") as object;
  node.host.files.writeAtomic(path, JSON.stringify({ ...record, ...change }));
}
