// A node as a folder on which a call has next to nothing to do, and those calls: the pod has no VF, and all is well.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createHost } from "../../../host/create-host.ts";
import { noteReleasedThisBoot } from "../../../sriov/released-boot.ts";
import { writeCheckpoint } from "../../support/fake-host-kubelet.ts";

export interface NodeCall {
  readonly call: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly config: object;
  /** What the product promises: how much longer it takes than an executable with nothing in it. */
  readonly goalOverEmptyMs: number;
}

export interface IdleNode {
  readonly root: string;
  readonly calls: readonly NodeCall[];
}

const network = { cniVersion: "1.1.0", name: "cluster", type: "virtfn" };
const prevResult = {
  cniVersion: "1.1.0",
  interfaces: [{ name: "eth0", sandbox: "/run/netns/bench" }],
  ips: [{ address: "192.0.2.50/24", interface: 0 }],
};
const calls: readonly NodeCall[] = [
  {
    call: "chained ADD of a pod without a VF",
    environment: {
      CNI_COMMAND: "ADD",
      CNI_CONTAINERID: "bench",
      CNI_NETNS: "/run/netns/bench",
      CNI_IFNAME: "eth0",
      CNI_PATH: "/opt/cni/bin",
      CNI_ARGS: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1;K8S_POD_UID=web-1",
    },
    config: { ...network, prevResult },
    goalOverEmptyMs: 3,
  },
  {
    call: "STATUS",
    environment: { CNI_COMMAND: "STATUS", CNI_PATH: "/opt/cni/bin" },
    config: network,
    goalOverEmptyMs: 5,
  },
];

/** Makes the folder `root`: the kubelet has given a VF to another pod, and this boot's first ADD has been. */
export function makeIdleNode(root: string): IdleNode {
  const host = createHost({ root });
  mkdirSync(join(root, "proc/sys/kernel/random"), { recursive: true });
  writeFileSync(join(root, "proc/sys/kernel/random/boot_id"), "bench\n");
  const device = "0000:3b:02.0";
  const containers = { app: [device] };
  const allocation = { uid: "web-2", containers, resource: "sriov/vf", registered: [device] };
  writeCheckpoint(host.paths.kubelet.checkpoint, allocation);
  noteReleasedThisBoot(host);
  return { root, calls };
}
