// Devlink of a node that is a folder: devices run what the test says.

import type { Devlink } from "../../host/netlink/devlink.ts";

/** By PCI address, then by name; of other devices nothing is told. */
export function createFakeDevlink(versions: ReadonlyMap<string, ReadonlyMap<string, string>>): Devlink {
  return {
    getRunningVersions: (address) => versions.get(address) ?? new Map(),
    [Symbol.dispose]: () => {},
  };
}
