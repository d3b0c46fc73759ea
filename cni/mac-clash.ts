// One MAC for one function of a PF: with two the card gives a frame to either of them.

import type { VfOnPf } from "../sriov/vf-apply.ts";
import { VfMacTakenError } from "../sriov/vf-errors.ts";

/**
 * Throws ERR_VF_MAC_TAKEN when the PF, or a VF of it other than `target`, has `mac` (lower-case) now. A free one stays free as long
 * as the caller holds the PF's lock: every ADD sets it under that.
 */
export function checkMacFree(target: VfOnPf, mac: string): void {
  const { netlink, pfName, pfIndex, vf } = target;
  const other = netlink.listVfs(pfIndex).find((info) => info.vf !== vf && info.mac === mac);
  const isOfPf = netlink.getLink({ index: pfIndex })?.mac === mac;
  if (other === undefined && !isOfPf) return;
  const holder = other === undefined ? `${pfName} itself` : `${pfName} vf ${other.vf}`;
  throw new VfMacTakenError(`giving ${mac} to ${pfName} vf ${vf}: ${holder} has it`);
}
