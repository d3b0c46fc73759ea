// VFs whose pods are provably gone: brought home as they were, their leases released, their records forgotten.

import type { Host } from "../host/host.ts";
import { RecordCorruptError } from "./errors.ts";
import { judgeOwner, type OwnerVerdict } from "./liveness.ts";
import { readOwnerFacts } from "./owner-facts.ts";
import { readPciNetdevs } from "./pci-device.ts";
import type { Judgement, RepairRule, UnreadableRecord } from "./repair.ts";

/**
 * The rule that compares the records with what is alive: a step for each, `keep` with the reason where its owner counts as alive.
 * Only namespaces and devices are evidence, never the kubelet.
 */
export function ofGoneOwners(host: Pick<Host, "files" | "paths" | "namespaces" | "clock">): RepairRule {
  return {
    judge: (record) => judge(judgeOwner(readOwnerFacts(host, record)), "release"),
    judgeUnreadable: (file) => judgeUnreadable(host, file),
  };
}

function judge(verdict: OwnerVerdict, action: "release" | "reset"): Judgement {
  return { action: verdict.state === "gone" ? action : "keep", reason: verdict.reason };
}

/**
 * Of a file that is no record: one that still tells whose it is counts as one; else nobody knows who has the VF, and only one that
 * is on the host is in no pod.
 */
export function judgeUnreadable(
  host: Pick<Host, "files" | "paths" | "namespaces" | "clock">,
  file: UnreadableRecord,
): Judgement {
  const { owner, device, bootId } = file.salvaged;
  if (owner !== undefined && device !== undefined && bootId !== undefined)
    return judge(judgeOwner(readOwnerFacts(host, { owner, device, bootId })), "reset");
  return (
    judgeNobodys(host, file) ?? {
      action: "keep",
      reason: `whose it is cannot be told: ${file.error.message}`,
    }
  );
}

/** Of a file that is no record and tells no owner: a VF that is on the host is in no pod, and is reset. */
export function judgeNobodys(
  host: Pick<Host, "files" | "paths">,
  { address, error }: UnreadableRecord,
): Judgement | undefined {
  const isHome = readPciNetdevs(host, address).length > 0;
  return isHome && error instanceof RecordCorruptError
    ? { action: "reset", reason: error.message }
    : undefined;
}
