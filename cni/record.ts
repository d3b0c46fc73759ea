// The record of an ADD: written once before its first change, once after its last.

import type { Host } from "../host/host.ts";
import { attachmentFormat } from "../sriov/attachment-format.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { writeAttachment } from "../sriov/attachment-store.ts";
import { zeroMac } from "../sriov/mac-address.ts";
import type { Attached } from "./attach.ts";
import type { Settled } from "./carrier.ts";
import type { Claim } from "./claim.ts";
import { makeLease } from "./delegate.ts";
import type { Request } from "./request.ts";
import type { Target } from "./targets.ts";

/** As `adding`: who gets the VF, how it was, and what gives its addresses back. `cookie` is the pod's namespace's. */
export function makeRecord(
  host: Pick<Host, "clock">,
  { call, config, pod }: Request,
  { target, claim, cookie }: { readonly target: Target; readonly claim: Claim; readonly cookie: bigint },
): Attachment {
  const { vf, link, original } = claim;
  const { resetBetweenPods } = target.network;
  return {
    format: attachmentFormat,
    owner: {
      containerId: call.containerId,
      attachment: call.ifName,
      network: config.name,
      netns: call.netns,
      cookie: String(cookie),
      pod: pod.pod,
    },
    interface: target.interface,
    device: { address: vf.address, pf: vf.pf, vf: vf.index, inode: String(vf.inode), ifindex: link?.index },
    bootId: host.clock.bootId(),
    state: "adding",
    createdAt: new Date(host.clock.nowMs()).toISOString(),
    announce: "pending",
    pickedBy: target.pickedBy,
    original,
    applied: { addresses: [], routes: [] },
    ipam: makeLease(call, config, target.network, target.interface),
    tuning: askTuning(target.network),
    resetBetweenPods: resetBetweenPods || undefined,
    // It tells of the attachment itself: chained, that is another plugin's interface.
    deviceInfoFile: target.interface === call.ifName ? config.deviceInfoFile : undefined,
  };
}

function askTuning(network: Target["network"]): Attachment["tuning"] {
  const { tuning: policy, rfs, threadedNapi, channelPerCpu } = network;
  const asked = { policy, rfs, threadedNapi, channelPerCpu };
  return Object.values(asked).every((value) => value === undefined) ? undefined : asked;
}

/** The record of a VF that had no admin MAC: what the PF reported was the VF's own. */
export function withoutAdminMac(record: Attachment): Attachment {
  return { ...record, original: { ...record.original, adminMac: zeroMac } };
}

/** Writes it as `attached`, with what was applied and whether it is announced. */
export function writeAttached(
  host: Host,
  record: Attachment,
  attached: (Attached & Settled) | undefined,
): void {
  if (attached === undefined) return;
  const { applied, link, announce } = attached;
  const device = { ...record.device, ifindex: link?.index };
  writeAttachment(host, { ...record, device, applied, announce, state: "attached" });
}
