// Every way to give a VF to a pod, as configurations, and a node for each: what is killed at every call must be made undone.

import { createFakeHost, type FakeHost } from "./fake-host.ts";
import type { TestCall } from "./cni-call.ts";

export interface KillCase {
  readonly name: string;
  readonly config: object;
  readonly call: TestCall;
}

const ipam = { type: "host-local", subnet: "192.0.2.0/24", routes: [{ dst: "0.0.0.0/0" }] };
const addresses = [{ address: "192.0.2.7/24", gateway: "192.0.2.1" }];
const settings = { vlan: 100, vlanQoS: 3, mac: "02:aa:bb:cc:dd:01", spoofchk: "off", trust: "on" };
const rates = { link_state: "enable", min_tx_rate: 100, max_tx_rate: 900 };
const hardware = { queues: 8, rings: { rx: 1024 }, resetBetweenPods: true };
const device = { cniVersion: "1.1.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };
const prevResult = { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }], ips: [{ address: "10.0.0.4/24" }] };
const chained = { cniVersion: "1.1.0", name: "cluster", type: "virtfn", prevResult, vlan: 7, ipam };
const devInfo = "/var/run/k8s.cni.cncf.io/devinfo/cni/default-blue-c1_net1";
const delegated = { ...device, runtimeConfig: { CNIDeviceInfoFile: devInfo } };
const picked = { cniVersion: "1.1.0", name: "lan", type: "virtfn", pf: "ens1f0", ips: ["192.0.2.50/24"] };
const nodeConfig = "pfs: [ens1f0]\nlimits: { sriov/vf: { driver: vfio-pci } }\n";

export const killCases: readonly KillCase[] = [
  { name: "with nothing but a device", config: device, call: {} },
  { name: "with host-local", config: { ...device, ipam }, call: {} },
  { name: "with static", config: { ...device, ipam: { type: "static", addresses } }, call: {} },
  {
    name: "with every setting",
    config: { ...delegated, ...settings, ...rates, ...hardware, mtu: 9000, ipam },
    call: {},
  },
  { name: "of two VFs, chained", config: chained, call: { ifName: "eth0" } },
  { name: "of a PF", config: { ...picked, ...settings }, call: {} },
  { name: "for vfio-pci", config: { ...delegated, ...settings, ipam, driver: "vfio-pci" }, call: {} },
];

/** A node with pod shop/web-1's namespace, and where the case needs it with VFs allocated to that pod; some queue masks are set. */
export function createKillNode({ config }: Pick<KillCase, "config">): FakeHost {
  // igb has neither lowest rates nor link states.
  const driver = "link_state" in config ? "ice" : "igb";
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 3, driver }]);
  node.addNetns("web-1");
  node.host.files.writeAtomic(node.host.paths.nodeConfig, nodeConfig);
  for (const vf of ["ens1f0v1", "ens1f0v2"]) {
    const queues = `${node.root}/sys/class/net/${vf}/queues`;
    node.host.files.writeText(`${queues}/rx-0/rps_cpus`, "0c\n");
    node.host.files.writeText(`${queues}/tx-0/xps_cpus`, "ff\n");
    node.host.files.writeText(`${queues}/tx-0/xps_rxqs`, "1\n");
  }
  if (!("pf" in config)) node.allocate("uid-web-1", { app: ["0000:3b:02.2", "0000:3b:02.1"] });
  return node;
}
