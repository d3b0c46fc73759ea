// A DEL of an old sandbox that comes when its VF is another pod's, by each way of use: as after a reset of the node, or a runtime that was stopped.

import { expect, test } from "vitest";

import { callCni, podArgs, type TestCall } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const common = { cniVersion: "1.0.0", name: "blue", type: "virtfn" };
const before = { cniVersion: "1.0.0", interfaces: [{ name: "eth0", sandbox: "/run/netns/web-1" }], ips: [] };

interface Way {
  readonly name: string;
  readonly config: object;
  readonly ifName: string;
  readonly hasPrevious: boolean;
}

const ways: readonly Way[] = [
  {
    name: "by its address",
    config: { ...common, deviceID: "0000:3b:02.0", vlan: 100, ipam },
    ifName: "net1",
    hasPrevious: false,
  },
  {
    name: "chained",
    config: { ...common, networks: [{ vlan: 100, ipam }] },
    ifName: "eth0",
    hasPrevious: true,
  },
  { name: "as the only network", config: { ...common, vlan: 100, ipam }, ifName: "eth0", hasPrevious: false },
  {
    name: "of a PF",
    config: { ...common, pf: "ens1f0", vlan: 100, ipam },
    ifName: "net1",
    hasPrevious: false,
  },
];

/** The kubelet's checkpoint says that this pod has the VFs, and nothing of another. */
function allocate(node: FakeHost, pod: string): void {
  node.host.files.remove(node.host.paths.kubelet.checkpoint);
  node.allocate(`uid-${pod}`, { app: ["0000:3b:02.0", "0000:3b:02.1"] });
}

async function add(node: FakeHost, way: Way, pod: string): Promise<object> {
  const netns = node.addNetns(pod);
  if (way.name !== "of a PF") allocate(node, pod);
  const call = { containerId: `c-${pod}`, netns, ifName: way.ifName, args: podArgs(pod) };
  const given = way.hasPrevious ? { prevResult: before } : {};
  const { exitCode, json } = await callCni(node.host, { ...way.config, ...given }, call);
  expect(exitCode).toBe(0);
  return json ?? {};
}

test.each(ways)("a VF that was given $name stays with the pod that has it now", async (way) => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "pfs: [ens1f0]\n");
  const old = await add(node, way, "web-1");
  node.removeNetns("web-1");
  // Of a PF the second pod gets the other VF, and the third one that of the first.
  await add(node, way, "web-2");
  if (way.name === "of a PF") await add(node, way, "web-3");
  const given = node.toText();
  expect(given).not.toContain("c-web-1");
  expect(given).toMatch(/^attachments 0000:3b:02\.0\.json$/m);
  const del: TestCall = {
    command: "DEL",
    containerId: "c-web-1",
    ifName: way.ifName,
    args: podArgs("web-1"),
  };
  for (const netns of ["/run/netns/web-1", ""])
    for (const prevResult of [old, undefined]) {
      const call = { ...del, netns };
      const answer = await callCni(node.host, { ...way.config, prevResult }, call);
      expect(answer).toMatchObject({ exitCode: 0, json: undefined });
      expect(node.toText()).toBe(given);
    }
});
