// A fake node for VFs without a netdev: three VFs, two pods, and vfio-pci allowed to every network.

import { createFakeHost, type FakeHost } from "./fake-host.ts";

/** A network for the second VF. */
export const userspaceConfig = {
  cniVersion: "1.1.0",
  name: "fast",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
};

/** Node configuration with which every network may have its VF bound to vfio-pci. */
export const vfioAllowed = 'limits: { "*": { driver: vfio-pci } }\n';

/** `userspace`: VFs that vfio-pci has already, by number. */
export function createUserspaceNode(userspace: readonly number[], nodeConfig = vfioAllowed): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 3, userspace }]);
  for (const name of ["web-1", "web-2"]) node.addNetns(name);
  node.host.files.writeAtomic(node.host.paths.nodeConfig, nodeConfig);
  return node;
}
