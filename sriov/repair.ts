// Records that nobody needs any more: found by a rule, planned as steps that can be printed, carried out under each VF's lock.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Attachment } from "./attachment.ts";
import { listAttached, quarantineAttachment, readAttachment } from "./attachment-store.ts";
import { SriovError } from "./errors.ts";
import type { PciAddress } from "./pci-address.ts";
import { createProcessView, type ProcessView } from "./processes.ts";
import type { KeptSetting } from "./kept-settings.ts";
import { openOwnerNetns, releaseAttachment } from "./release.ts";
import { resetUnreadable } from "./reset-unreadable.ts";
import { salvageRecord, type Salvaged } from "./salvage-record.ts";
import { removeUnfinishedRecords } from "./unfinished-records.ts";

/**
 * What is to be done with a record, and why as a clause. `release`: the VF as it was, its addresses and the record are given
 * back. `reset`: the record cannot be read, the VF gets its driver's defaults. `setAside`: such a record is moved aside, no more.
 * `rename`: a VF without a record gets its name back (home-name-repair.ts).
 */
export interface Judgement {
  readonly action: "release" | "reset" | "setAside" | "rename" | "keep";
  readonly reason: string;
}

/**
 * Says it of one record; `undefined` is none of its business. Asked twice: for the plan, with one view of the processes for all
 * records, and again under the VF's lock, with a new one.
 */
export interface RepairRule {
  readonly judge: (record: Attachment, processes: ProcessView) => Judgement | undefined;
  readonly judgeUnreadable: (file: UnreadableRecord, processes: ProcessView) => Judgement | undefined;
}

/** A record's file that this release cannot read, and what it tells all the same. */
export interface UnreadableRecord {
  readonly address: PciAddress;
  readonly error: SriovError;
  readonly salvaged: Salvaged;
}

export interface RepairStep extends Judgement {
  readonly address: PciAddress;
  /** "pod shop/web-1, container 4f1c09 as net1", as far as that can be read. */
  readonly holder: string;
  /** What went wrong; before it is carried out only a file that could not be read at all. */
  readonly problem: SriovError | HostError | undefined;
  /** What the VF keeps of its pod; only of a step that was carried out. */
  readonly kept?: readonly KeptSetting[];
}

/** What is to be done on the node, in PCI order; changes nothing. */
export function planRepair(host: Pick<Host, "files" | "paths">, rule: RepairRule): readonly RepairStep[] {
  const processes = createProcessView(host);
  return listAttached(host).flatMap((address) => planOne(host, rule, address, processes)?.step ?? []);
}

/**
 * Carries out what of `steps` still holds, each under its VF's lock, and returns them as they went: `keep` where nothing was to
 * be done any more. A failure is told beside its step and stops none of the others. Also clears up after killed writers.
 */
export async function applyRepair(
  host: Host,
  rule: RepairRule,
  steps: readonly RepairStep[],
  options: ApplyOptions,
): Promise<readonly RepairStep[]> {
  const outcomes = await applySteps(host, steps, options, async (step) => {
    const now = planOne(host, rule, step.address, createProcessView(host));
    if (now === undefined) return { ...step, action: "keep", reason: "it was given back meanwhile" };
    const kept = await now.apply(host);
    return kept.length === 0 ? now.step : { ...now.step, kept };
  });
  await removeUnfinishedRecords(host);
  return outcomes;
}

export interface ApplyOptions {
  readonly lockTimeoutMs: number;
  /** Asked before each step: once it says yes, the rest is left out, also of what is returned. */
  readonly isLate?: () => boolean;
}

/**
 * Has `apply` look again at each step that is one, under its VF's lock, and carry out what still holds; returns them as they went.
 * A failure is told beside its step and stops none of the others.
 */
export async function applySteps(
  host: Pick<Host, "locks">,
  steps: readonly RepairStep[],
  options: ApplyOptions,
  apply: (step: RepairStep) => Promise<RepairStep>,
): Promise<readonly RepairStep[]> {
  const outcomes: RepairStep[] = [];
  for (const step of steps) {
    if (options.isLate?.() === true) break;
    outcomes.push(step.action === "keep" ? step : await applyLocked(host, step, options, apply));
  }
  return outcomes;
}

async function applyLocked(
  host: Pick<Host, "locks">,
  step: RepairStep,
  { lockTimeoutMs }: { readonly lockTimeoutMs: number },
  apply: (step: RepairStep) => Promise<RepairStep>,
): Promise<RepairStep> {
  try {
    using _lock = await host.locks.acquire(step.address, { timeoutMs: lockTimeoutMs });
    return await apply(step);
  } catch (error) {
    if (error instanceof SriovError || error instanceof HostError) return { ...step, problem: error };
    throw error;
  }
}

interface Planned {
  readonly step: RepairStep;
  readonly apply: (host: Host) => Promise<readonly KeptSetting[]>;
}

function planOne(
  host: Pick<Host, "files" | "paths">,
  rule: RepairRule,
  address: PciAddress,
  processes: ProcessView,
): Planned | undefined {
  try {
    const record = readAttachment(host, address);
    return record === undefined ? undefined : planRelease(rule, record, processes);
  } catch (error) {
    if (error instanceof HostError) return keepUnread(address, error);
    if (!(error instanceof SriovError)) throw error;
    return planUnreadable(rule, { address, error, salvaged: salvageRecord(host, address) }, processes);
  }
}

function planRelease(rule: RepairRule, record: Attachment, processes: ProcessView): Planned | undefined {
  const judgement = rule.judge(record, processes);
  if (judgement === undefined) return undefined;
  const { address } = record.device;
  const holder = describeHolder(record.owner, record.interface);
  return {
    step: { address, holder, ...judgement, problem: undefined },
    apply: (host) => giveBack(host, record, judgement.action),
  };
}

function planUnreadable(
  rule: RepairRule,
  file: UnreadableRecord,
  processes: ProcessView,
): Planned | undefined {
  const judgement = rule.judgeUnreadable(file, processes);
  if (judgement === undefined) return undefined;
  return {
    step: {
      address: file.address,
      holder: describeSalvaged(file.salvaged),
      ...judgement,
      problem: undefined,
    },
    apply: (host) => giveBackUnreadable(host, file, judgement.action),
  };
}

function keepUnread(address: PciAddress, problem: HostError): Planned {
  const step = { address, holder: "unknown", reason: "its record could not be read", problem } as const;
  return { step: { ...step, action: "keep" }, apply: () => Promise.resolve([]) };
}

async function giveBack(
  host: Host,
  record: Attachment,
  action: Judgement["action"],
): Promise<readonly KeptSetting[]> {
  if (action !== "release") return [];
  using netns = openOwnerNetns(host, record);
  return await releaseAttachment(host, record, netns);
}

async function giveBackUnreadable(
  host: Host,
  { address, error, salvaged }: UnreadableRecord,
  action: Judgement["action"],
): Promise<readonly KeptSetting[]> {
  if (action === "setAside") quarantineAttachment(host, address, error.message);
  if (action !== "reset") return [];
  using netns = salvaged.owner === undefined ? undefined : openOwnerNetns(host, { owner: salvaged.owner });
  return await resetUnreadable(host, address, { salvaged, netns, reason: error.message });
}

function describeHolder({ pod, containerId }: Attachment["owner"], interfaceName: string): string {
  const name = pod === undefined ? "" : `pod ${pod.namespace}/${pod.name}, `;
  return `${name}container ${containerId.slice(0, 12)} as ${interfaceName}`;
}

function describeSalvaged({ owner, interface: name }: Salvaged): string {
  return owner === undefined ? "unknown" : describeHolder(owner, name ?? owner.attachment);
}
