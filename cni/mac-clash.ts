// One MAC for one function of a PF: with two the card gives a frame to either of them.

import type { Host } from "../host/host.ts";
import { isOfThisBoot } from "../sriov/attachment.ts";
import { readAttachmentsWith } from "../sriov/attachment-store.ts";
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

/**
 * Throws ERR_VF_MAC_TAKEN when `mac` (lower-case) is what another VF of the PF gets back from the pod that has it: then two would
 * have it. Asked after `checkMacFree`, as a VF has it at any time by itself or by its record.
 */
export function checkMacOwedToNobody(
  host: Pick<Host, "files" | "paths" | "clock">,
  { pf, pfName, vf }: VfOnPf,
  mac: string,
): void {
  const bootId = host.clock.bootId();
  const owed = readAttachmentsWith(host, mac).find(
    ({ device, original, ...record }) =>
      device.pf === pf &&
      device.vf !== vf &&
      [original.mac, original.adminMac].includes(mac) &&
      isOfThisBoot(record, bootId),
  );
  if (owed === undefined) return;
  const holder = `${pfName} vf ${owed.device.vf}`;
  throw new VfMacTakenError(`giving ${mac} to ${pfName} vf ${vf}: ${holder} gets it back from its pod`);
}
