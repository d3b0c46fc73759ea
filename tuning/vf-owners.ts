// Which pod had each VF at the last look: what somebody did to the pins of one pod is nothing against the next.

import { ownerToken } from "../sriov/attachment.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import type { TunedVf } from "./node-state.ts";

/** Lives as long as the process; who had a VF before that is not known. */
export class VfOwners {
  readonly #owners = new Map<PciAddress, string>();

  /** Those of the VFs that another pod had at the last look that found them in one. */
  follow(vfs: readonly Pick<TunedVf, "vf" | "record">[]): ReadonlySet<PciAddress> {
    const passedOn = new Set<PciAddress>();
    for (const { vf, record } of vfs) {
      const owner = ownerToken(record.owner);
      if ((this.#owners.get(vf.address) ?? owner) !== owner) passedOn.add(vf.address);
      this.#owners.set(vf.address, owner);
    }
    return passedOn;
  }
}
