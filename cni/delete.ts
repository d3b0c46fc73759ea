// DEL: gives back what this attachment has. Safe to call any number of times, with the namespace, the VF or the record gone.

import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { ownerToken, type Attachment } from "../sriov/attachment.ts";
import { readAttachment } from "../sriov/attachment-store.ts";
import { removeCniDeviceInfo } from "../sriov/cni-device-info.ts";
import { readHomeName } from "../sriov/home-name.ts";
import { releaseIpam } from "../sriov/ipam.ts";
import { comparePciAddress, type PciAddress } from "../sriov/pci-address.ts";
import { readPciNetdevs } from "../sriov/pci-device.ts";
import { openOwnerNetns, releaseAttachment } from "../sriov/release.ts";
import { removeUnfinishedRecords } from "../sriov/unfinished-records.ts";
import { ReleaseError } from "../sriov/vf-errors.ts";
import { isOwnName } from "../sriov/vf-move.ts";
import { type Notices, tellKept, tellOwed } from "./call-log.ts";
import { makeLease } from "./delegate.ts";
import { NetnsError } from "./errors.ts";
import { goFirst } from "./go-first.ts";
import { readOwnRecords } from "./own-records.ts";
import { checkOutside, findPodNetns } from "./pod-netns.ts";
import { type Caller, releaseUnrecorded } from "./release-unrecorded.ts";
import type { Request } from "./request.ts";
import { readSriovCniEntry, removeSriovCniEntry, type SriovCniEntry } from "./sriov-cni-entry.ts";
import type { Steps } from "./steps.ts";
import { listGivenNames, listPickedNames, listSuspects, type Suspect } from "./suspects.ts";

/**
 * Gives everything back. VFs of others are untouched. Goes on after a failure and throws at the end what was left: ERR_RELEASE. Where
 * CNI_NETNS is the host's own the pod's is gone; ERR_CNI_NETNS follows then, unless CNI_NETNS_OVERRIDE says that it may be.
 */
export async function del(host: Host, request: Request, steps: Steps, log: Notices): Promise<void> {
  const { call } = request;
  const { netns, isOwn } = steps.run("namespace", () => findPodNetns(host, call.netns));
  using _netns = netns;
  const token = ownerToken({ containerId: call.containerId, attachment: call.ifName });
  const { records, unreadable } = steps.run("records", () => readOwnRecords(host, request, log));
  const own = records.filter((record) => ownerToken(record.owner) === token);
  if (own.length > 0) goFirst(host);
  steps.run("namespace", () => checkOutside(host, own));
  const foreign = readSriovCniEntry(host, call);
  const started = foreign === undefined ? [] : [{ address: foreign.address, interface: call.ifName }];
  const suspects = [...started, ...listSuspects(host, request, { netns, unreadable, token })].filter(
    ({ address }, at, all) =>
      !own.some((record) => record.device.address === address) &&
      all.findIndex((other) => other.address === address) === at,
  );
  const caller = { netns, token, uid: request.pod.uid, log };
  const problems: unknown[] = [];
  const attempt = async (name: string, work: () => Promise<void>): Promise<void> => {
    await steps.wait(name, work).catch((error: unknown) => problems.push(error));
  };
  for (const record of own.toSorted((a, b) => comparePciAddress(a.device.address, b.device.address)))
    await attempt("release", async () => {
      await releaseOwn(host, request, record.device.address, { token, log });
      warnOfName(host, record, log);
    });
  for (const name of own.length === 0
    ? listLeaseNames(request, suspects, netns === undefined ? listGivenNames(host, request) : [])
    : suspects.map((vf) => vf.interface))
    await attempt("IPAM", () => releaseLease(host, request, name, isOwn ? "" : call.netns));
  for (const suspect of suspects) {
    const isForeign = suspect.address === foreign?.address;
    await attempt("release", () =>
      isForeign ? releaseForeign(host, request, foreign, netns) : releaseSuspect(host, suspect, caller),
    );
  }
  const { deviceInfoFile } = request.config;
  if (deviceInfoFile !== undefined)
    await attempt("device info", async () => removeCniDeviceInfo(host, deviceInfoFile));
  // Of an ADD that was killed before it had a record, a DEL is all that follows.
  await steps.wait("records", () => removeUnfinishedRecords(host));
  if (foreign !== undefined && problems.length === 0)
    steps.run("records", () => removeSriovCniEntry(host, call, foreign));
  if (problems.length > 0) throw new ReleaseError(`what ${token} has`, problems);
  if (isOwn && !call.mayBeOwnNetns)
    throw new NetnsError(
      `CNI_NETNS: expected a pod's network namespace, got the host's own (${call.netns}): everything was given back; ` +
        "with CNI_NETNS_OVERRIDE=1 that is no error",
    );
}

async function releaseOwn(
  host: Host,
  { call }: Request,
  address: PciAddress,
  { token, log }: Pick<Caller, "token" | "log">,
): Promise<void> {
  using _lock = await host.locks.acquire(address);
  const record = readAttachment(host, address);
  // While we waited for the lock another DEL may have been through, and a new pod may have the VF.
  if (record === undefined || ownerToken(record.owner) !== token) return;
  using netns = openOwner(host, record, call.netns);
  try {
    tellKept(log, address, await releaseAttachment(host, record, netns));
  } catch (error) {
    // A node whose cable is out must be able to end its pods. The record stays: the next pod does not get the VF with this limit.
    if (!(error instanceof ReleaseError) || error.owedRate === undefined) throw error;
    tellOwed(log, address, error.owedRate);
  }
}

function warnOfName(host: Host, { device, original }: Attachment, log: Notices): void {
  const pciAddress = device.address;
  const name = readHomeName(host, device);
  const [now = ""] = name === undefined ? readPciNetdevs(host, pciAddress) : [];
  if (name !== undefined) {
    const message = "the VF's name is another link's: it gets it back when that is free";
    log.add("warning", message, { pciAddress, name });
  } else if (isOwnName(now, pciAddress) && now !== original.name)
    log.add("warning", "the VF's name is another link's, and could not be noted", {
      pciAddress,
      name: original.name,
      now,
    });
}

function openOwner(host: Host, record: Attachment, path: string): NetnsHandle | undefined {
  return (path === "" ? undefined : openOwnerNetns(host, record, path)) ?? openOwnerNetns(host, record);
}

// The lease is our own whoever has the VF. Without a record it is released as the configuration of this call says.
async function releaseLease(
  host: Host,
  { call, config }: Request,
  interfaceName: string,
  netns: string,
): Promise<void> {
  for (const network of config.networks) {
    const lease = makeLease(call, config, network, interfaceName);
    if (lease !== undefined) await releaseIpam(host, { lease, containerId: call.containerId, netns });
  }
}

async function releaseSuspect(host: Host, suspect: Suspect, caller: Caller): Promise<void> {
  using _lock = await host.locks.acquire(suspect.address);
  await releaseUnrecorded(host, suspect, caller);
}

async function releaseForeign(
  host: Host,
  { call }: Request,
  entry: SriovCniEntry,
  netns: NetnsHandle | undefined,
): Promise<void> {
  using _lock = await host.locks.acquire(entry.address);
  const { releaseSriovCni } = await import("./release-sriov-cni.ts");
  await releaseSriovCni(host, call, entry, netns);
}

function listLeaseNames(
  request: Request,
  suspects: readonly Suspect[],
  given: readonly string[],
): readonly string[] {
  return [...new Set([...suspects.map((vf) => vf.interface), ...listPickedNames(request), ...given])];
}
