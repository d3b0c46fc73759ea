// VFs whose pods are provably gone: brought home as they were, their leases released, their records forgotten.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { readAdvertisedPools } from "./advertised-pools.ts";
import { findOpenDevice } from "./device-processes.ts";
import { RecordCorruptError } from "./errors.ts";
import { isNetworkVf, readVfBasics } from "./inventory.ts";
import { judgeOwner, type OwnerVerdict } from "./liveness.ts";
import { readOwnerFacts } from "./owner-facts.ts";
import type { PciAddress } from "./pci-address.ts";
import { readPciNetdevs } from "./pci-device.ts";
import { createProcessView, type ProcessView } from "./processes.ts";
import type { Judgement, RepairRule, UnreadableRecord } from "./repair.ts";

type Eyes = Pick<Host, "files" | "paths">;

/**
 * UIDs of the pods that the kubelet gave a VF to, `undefined` where its books cannot be read. Only ever evidence that somebody is
 * alive, and asked only where no record tells whose a VF without a netdev is.
 */
export type Holders = (address: PciAddress) => readonly string[] | undefined;

/**
 * The rule that compares the records with what is alive: a step for each, `keep` with the reason where its owner counts as alive.
 * Namespaces and devices are evidence that it is gone, never the kubelet.
 */
export function ofGoneOwners(host: Eyes & Pick<Host, "namespaces" | "clock">, holders: Holders): RepairRule {
  return {
    judge: (record, processes) => judge(judgeOwner(readOwnerFacts(host, record, processes)), "release"),
    judgeUnreadable: (file, processes) => judgeUnreadable(host, file, holders, processes),
  };
}

function judge(verdict: OwnerVerdict, action: "release" | "reset"): Judgement {
  return { action: verdict.state === "gone" ? action : "keep", reason: verdict.reason };
}

/** Of a file that is no record: one that still tells whose it is counts as one; else nobody knows who has the VF. */
export function judgeUnreadable(
  host: Eyes & Pick<Host, "namespaces" | "clock">,
  file: UnreadableRecord,
  holders: Holders,
  processes = createProcessView(host),
): Judgement {
  const { owner, device, bootId } = file.salvaged;
  if (owner !== undefined && device !== undefined && bootId !== undefined)
    return judge(judgeOwner(readOwnerFacts(host, { owner, device, bootId }, processes)), "reset");
  return judgeNobodys(host, file, holders, processes);
}

/** Of a file that is no record and tells no owner: a VF that is on the host, or that nothing can have, is reset. */
export function judgeNobodys(
  host: Eyes,
  { address, error }: UnreadableRecord,
  holders: Holders,
  processes: ProcessView,
): Judgement {
  const untold = `whose it is cannot be told: ${error.message}`;
  if (!(error instanceof RecordCorruptError)) return { action: "keep", reason: untold };
  const doubt = findDoubt(host, address, holders, processes);
  return doubt === undefined
    ? { action: "reset", reason: error.message }
    : { action: "keep", reason: `${untold}; ${doubt}; if no pod has it, delete that file` };
}

// Why the VF may be somebody's.
function findDoubt(
  host: Eyes,
  address: PciAddress,
  holders: Holders,
  processes: ProcessView,
): string | undefined {
  if (readPciNetdevs(host, address).length > 0) return undefined;
  const vf = readVfBasics(host, address);
  if (vf === undefined) return undefined;
  if (isNetworkVf(vf)) return "its interface is not on the host";
  return findOpenDevice(host, vf, processes) ?? findPromise(host, address, holders);
}

// A pod that has it need not have it open now. What the kubelet does not hand out can be anybody's.
function findPromise(host: Eyes, address: PciAddress, holders: Holders): string | undefined {
  const pods = holders(address);
  if (pods === undefined) return "which pod the kubelet gave it to cannot be read";
  if (pods.length > 0) return `the kubelet gave it to the pod with UID ${pods.join(", ")}`;
  const isAdvertised = listAdvertised(host).includes(address);
  return isAdvertised ? undefined : "it is not offered to the kubelet, which then cannot tell who has it";
}

function listAdvertised(host: Eyes): readonly string[] {
  try {
    return [...(readAdvertisedPools(host)?.values() ?? [])].flat();
  } catch (error) {
    if (error instanceof RecordCorruptError || error instanceof HostError) return [];
    throw error;
  }
}
