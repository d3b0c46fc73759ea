// ADD: gives VFs to a pod, or leaves everything as it was.

import type { Host } from "../host/host.ts";
import type { Netlink } from "../host/netlink/netlink.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { ownerToken, type Attachment } from "../sriov/attachment.ts";
import { writeAttachment } from "../sriov/attachment-store.ts";
import { writeCniDeviceInfo } from "../sriov/cni-device-info.ts";
import {
  addIpam,
  findDelegate,
  ipamCallOf,
  needsNoInterface,
  releaseIpam,
  type IpamResult,
} from "../sriov/ipam.ts";
import type { KeptSetting } from "../sriov/kept-settings.ts";
import { releaseAttachment } from "../sriov/release.ts";
import { writeUserspaceCopy } from "../sriov/userspace-copy.ts";
import { IpamError, ReleaseError } from "../sriov/vf-errors.ts";
import { attachVf, type Attached, type Attaching } from "./attach.ts";
import { type Notices, tellKept } from "./call-log.ts";
import { settleLinks, type Settled } from "./carrier.ts";
import { claimVf, type Claim } from "./claim.ts";
import type { CniCall } from "./environment.ts";
import { EnvironmentError, NetnsError, StepError } from "./errors.ts";
import { goFirst } from "./go-first.ts";
import { openPodNetns } from "./pod-netns.ts";
import { makeRecord, withoutAdminMac, writeAttached } from "./record.ts";
import { describePod, type Request } from "./request.ts";
import type { Reservation } from "./reservation.ts";
import { emptyResult, extendResult, pickDns, type CniResult } from "./result.ts";
import type { Steps } from "./steps.ts";
import type { Target } from "./targets.ts";

interface Claimed {
  readonly target: Target;
  readonly claim: Claim;
  record: Attachment;
  /** Whether the IPAM plugin itself said no. */
  isRefused: boolean;
}

/** Gives the VFs that `reserve` locks to the pod; the result of ADD. Everything is checked before the first change; whatever fails after it is undone. Throws coded errors. */
export async function add(
  host: Host,
  request: Request,
  reserve: (home: Netlink) => Promise<Reservation>,
  { steps, log }: { readonly steps: Steps; readonly log: Notices },
): Promise<CniResult> {
  const { call, config } = request;
  const before = config.prevResult ?? emptyResult;
  goFirst(host);
  using netns = steps.run("namespace", () => openPodNetns(host, call.netns));
  using ownNetns = steps.run("namespace", () => host.namespaces.own());
  using home = steps.run("netlink", () => host.openNetlink());
  using inside = steps.run("netlink", () => host.openNetlink(netns));
  using reserved = await steps.wait("lock", () => reserve(home));
  const claimed: Claimed[] = [];
  for (const target of reserved.targets) {
    steps.run("name", () => {
      checkNameIsPlain(target);
      checkNameFree(inside.getLink({ name: target.interface }), target, call);
    });
    const who = {
      title: describePod(request, target.interface),
      token: ownerTokenOf(call),
      uid: request.pod.uid,
      log,
    };
    const claim = await steps.wait("claim", () => claimVf(host, home, target, who));
    const record = steps.run("record", () =>
      makeRecord(host, request, { target, claim, cookie: netns.cookie }),
    );
    steps.run("IPAM", () => checkDelegate(host, record));
    claimed.push({ target, claim, record, isRefused: false });
  }
  const sides = { home: { netlink: home, netns: ownNetns }, pod: { netlink: inside, netns } };
  return await carryOut(host, claimed, { netns, log }, async () => {
    reserved.noteRecorded();
    const given: Attached[] = [];
    const leases = claimed.map(({ record }) => startIpam(host, record));
    try {
      for (const [at, one] of claimed.entries()) {
        const ipam = async (): Promise<IpamResult | undefined> => {
          try {
            return await leases[at]?.answer();
          } catch (error) {
            one.isRefused = error instanceof IpamError && error.delegateCode !== undefined;
            throw error;
          }
        };
        const noteNoAdminMac = (): void => {
          one.record = withoutAdminMac(one.record);
          writeAttachment(host, one.record);
        };
        const lease = one.record.ipam;
        const isIpamOverLink = lease !== undefined && !needsNoInterface(lease);
        given.push(await attach(host, steps, { ...one, ...sides, ipam, isIpamOverLink, noteNoAdminMac }));
      }
    } finally {
      await Promise.allSettled(leases.map(({ isOver }) => isOver));
    }
    steps.run("device info", () => {
      for (const { record } of claimed) writeCniDeviceInfo(host, record);
    });
    const attached = await settleLinks(host, steps, sides.pod, given);
    steps.run("record", () => {
      for (const [at, { record }] of claimed.entries()) writeAttached(host, record, attached[at]);
    });
    return extendResult(before, toResult(call, attached));
  });
}

// Most VFs have a netdev, and keep it.
async function attach(
  host: Host,
  steps: Steps,
  { record, ...attaching }: Attaching & Pick<Claimed, "record">,
): Promise<Attached> {
  const { claim, target } = attaching;
  if (claim.link !== undefined && target.network.driver === undefined)
    return await attachVf(host, steps, attaching);
  steps.run("record", () => writeUserspaceCopy(host, record));
  const { attachUserspaceVf } = await import("./attach-userspace.ts");
  return await attachUserspaceVf(host, steps, attaching);
}

// Records first, for all: what protects a VF must be there before its first change.
async function carryOut(
  host: Host,
  claimed: readonly Claimed[],
  { netns, log }: { readonly netns: NetnsHandle; readonly log: Notices },
  work: () => Promise<CniResult>,
): Promise<CniResult> {
  const written: Claimed[] = [];
  try {
    for (const one of claimed) {
      written.push(one);
      writeAttachment(host, one.record);
    }
    return await work();
  } catch (error) {
    const problems: unknown[] = [];
    for (const one of written.toReversed())
      await undo(host, one, netns)
        .then((kept) => tellKept(log, one.target.address, kept))
        .catch((problem: unknown) => problems.push(problem));
    const failed = error instanceof StepError ? error : new StepError("record", error);
    if (problems.length === 0) throw failed;
    throw new StepError("undo", new ReleaseError("what was done", [failed, ...problems]));
  }
}

// What the IPAM plugin refused to give it has not given. It is told to take it back, and may refuse that for the same reason.
async function undo(
  host: Host,
  { record, isRefused }: Claimed,
  netns: NetnsHandle,
): Promise<readonly KeptSetting[]> {
  const lease = isRefused ? ipamCallOf(record, record.owner.netns) : undefined;
  if (lease === undefined) return await releaseAttachment(host, record, netns);
  await releaseIpam(host, lease).catch((error: unknown) => {
    if (!(error instanceof IpamError)) throw error;
  });
  return await releaseAttachment(host, { ...record, ipam: undefined }, netns);
}

interface StartedIpam {
  readonly answer: () => Promise<IpamResult | undefined>;
  /** Settles when no delegate runs any more. */
  readonly isOver: Promise<unknown>;
}

// What needs no interface to hand out an address runs beside the work on the links.
function startIpam(host: Host, { ipam, owner }: Attachment): StartedIpam {
  const call = ipamCallOf({ ipam, owner }, owner.netns);
  const isOver = Promise.resolve();
  if (call === undefined) return { answer: () => Promise.resolve(undefined), isOver };
  if (!needsNoInterface(call.lease)) return { answer: () => addIpam(host, call), isOver };
  const answer = addIpam(host, call);
  // Its failure is seen where it is awaited.
  return { answer: () => answer, isOver: answer.catch(() => undefined) };
}

function toResult(call: CniCall, attached: readonly (Attached & Settled)[]): Omit<CniResult, "others"> {
  const sandbox = call.netns;
  const interfaces = attached.map(({ link, target, mac: ofPf }) => {
    const { name, mac, mtu } = link ?? { name: target.interface, mac: ofPf, mtu: undefined };
    return { name, mac, mtu, sandbox, pciID: target.address };
  });
  const ips = attached.flatMap(({ plan }, at) => plan.ips.map((ip) => ({ ...ip, interface: at })));
  const routes = attached.flatMap(({ plan }) => plan.resultRoutes);
  return { interfaces, ips, routes, dns: pickDns(attached.map(({ plan }) => plan.dns)) };
}

// The kernel would number "net%d" by itself, and refuse "net%1" after the move (net/core/dev.c, __dev_alloc_name).
function checkNameIsPlain({ interface: name, address }: Target): void {
  if (!name.includes("%")) return;
  throw new EnvironmentError([`the name of ${address} in the pod, ${name}: expected a name without %`]);
}

function checkNameFree(taken: object | undefined, target: Target, call: CniCall): void {
  if (taken === undefined) return;
  throw new NetnsError(
    `${target.interface} for ${target.address}: there is an interface of that name in ${call.netns}`,
  );
}

function checkDelegate(host: Pick<Host, "files" | "paths">, record: Attachment): void {
  if (record.ipam !== undefined) findDelegate(host, record.ipam);
}

function ownerTokenOf({ containerId, ifName }: CniCall): string {
  return ownerToken({ containerId, attachment: ifName });
}
