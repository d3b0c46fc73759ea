// Puts back what tuning changed on a VF, as its tuning record has it, and drops the record.

import { LockTimeoutError, SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { restoreAffinity } from "../sriov/affinity-restore.ts";
import { type Attachment, ownerToken } from "../sriov/attachment.ts";
import { readAttachment } from "../sriov/attachment-store.ts";
import { formatCpuList, parseCpuList } from "../sriov/cpu-list.ts";
import { SriovError } from "../sriov/errors.ts";
import { readVf, type TunableVf } from "../sriov/inventory.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import {
  isRecordOf,
  type TunedThread,
  type TuningRecord,
  TuningRecordError,
} from "../sriov/tuning-record.ts";
import { quarantineTuningRecord, readTuningRecord, removeTuningRecord } from "../sriov/tuning-store.ts";
import { isSame, pick } from "./channel-plan.ts";
import { withRecordLink } from "./record-netns.ts";
import { readNapiThread } from "./napi-threads.ts";
import { holdsVf } from "./held-vfs.ts";
import { describeProblem, type Problem } from "./problem.ts";
import { openVfQueues } from "./vf-queues.ts";

/**
 * `restored`: as it was before; `discarded`: the record was of another boot or of another VF at that address, or unreadable;
 * `held`: a pod has the VF; `busy`: the CNI has its lock; `incomplete`: see the problems, the record is kept.
 */
export interface RestoreOutcome {
  readonly result: "restored" | "discarded" | "held" | "busy" | "incomplete";
  readonly writes: number;
  readonly problems: readonly Problem[];
}

type EvenInPods = "all" | ((record: Attachment) => boolean);

type RestoreHost = Pick<
  Host,
  "files" | "paths" | "namespaces" | "locks" | "clock" | "openNetlink" | "openEthtool" | "threads"
>;

/** `evenInPods`: also where a pod holds the VF, its masks included: all of them, or those of these records. */
export interface RestoreOptions {
  readonly evenInPods: EvenInPods;
  readonly lockTimeoutMs: number;
}

/** What became of each VF, one after the other. */
export async function restoreVfs(
  host: RestoreHost,
  addresses: readonly PciAddress[],
  options: RestoreOptions,
): Promise<ReadonlyMap<PciAddress, RestoreOutcome>> {
  const outcomes = new Map<PciAddress, RestoreOutcome>();
  for (const address of addresses) outcomes.set(address, await restoreVf(host, address, options));
  return outcomes;
}

/** Under the VF's lock. */
export async function restoreVf(
  host: RestoreHost,
  address: PciAddress,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  try {
    using _lock = await host.locks.acquire(address, { timeoutMs: options.lockTimeoutMs });
    return restoreLocked(host, address, options.evenInPods);
  } catch (error) {
    if (error instanceof LockTimeoutError) return outcome("busy");
    return outcome("incomplete", [describeProblem(address, "restore", error)]);
  }
}

function restoreLocked(host: RestoreHost, address: PciAddress, evenInPods: EvenInPods): RestoreOutcome {
  const vf = readVf(host, address);
  const holder = readHolder(host, address, vf);
  if (evenInPods !== "all" && holder !== undefined && (holder === "unknown" || !evenInPods(holder)))
    return outcome("held");
  let saved: TuningRecord | undefined;
  try {
    saved = readTuningRecord(host, address);
  } catch (error) {
    if (!(error instanceof TuningRecordError)) throw error;
    quarantineTuningRecord(host, address);
    return outcome("discarded", [describeProblem(address, "tuning record", error)]);
  }
  if (saved === undefined) return outcome("restored");
  if (vf === undefined || !isRecordOf(saved, vf, host.clock.bootId())) {
    removeTuningRecord(host, address);
    return outcome("discarded");
  }
  const problems: Problem[] = [];
  const attempt = (about: string, restore: () => number): number => {
    try {
      return restore();
    } catch (error) {
      problems.push(describeProblem(address, about, error));
      return 0;
    }
  };
  const affinities = saved.vectors.map((vector) =>
    attempt(`vector ${vector.msiIndex}`, () => (restoreAffinity(host, vf, vector) ? 1 : 0)),
  );
  const queues = attempt("queues", () =>
    holder === undefined || holder === "unknown" ? 0 : restoreQueues(host, holder, saved),
  );
  const channels = attempt("channels", () =>
    holder === undefined || holder === "unknown" ? 0 : restoreChannels(host, holder, saved),
  );
  const threads = (saved.threads ?? []).map((thread) =>
    attempt(thread.name, () => (restoreThread(host, thread) ? 1 : 0)),
  );
  const writes = [...affinities, queues, channels, ...threads].reduce((sum, count) => sum + count, 0);
  if (problems.length > 0) return { result: "incomplete", writes, problems };
  removeTuningRecord(host, address);
  return { result: "restored", writes, problems };
}

function restoreQueues(host: RestoreHost, record: Attachment, { masks, values }: TuningRecord): number {
  const owner = ownerToken(record.owner);
  if (record.state !== "attached" || (masks?.owner !== owner && values?.owner !== owner)) return 0;
  using queues = openVfQueues(host, record);
  if (queues === undefined) return 0;
  const present = queues.read();
  const changed = (masks?.owner === owner ? masks.queues : []).filter(({ queue, original }) =>
    present.some((mask) => mask.queue === queue && mask.text !== original),
  );
  for (const { queue, original } of changed) queues.write(queue, original);
  const valuesNow = values?.owner === owner ? queues.readValues() : [];
  const others = (values?.originals ?? []).filter(({ path, original }) =>
    valuesNow.some((value) => value.path === path && value.text !== original),
  );
  for (const { path, original } of others) queues.writeValue(path, original);
  return changed.length + others.length;
}

function restoreChannels(host: RestoreHost, record: Attachment, { channels }: TuningRecord): number {
  if (record.state !== "attached" || channels?.owner !== ownerToken(record.owner)) return 0;
  return (
    withRecordLink(host, record, (netns, index) => {
      using ethtool = host.openEthtool(netns);
      const isThere = isSame(pick(ethtool.getChannels(index) ?? {}, channels.original), channels.original);
      if (!isThere) ethtool.setChannels(index, channels.original);
      return isThere ? 0 : 1;
    }) ?? 0
  );
}

/** A thread that is gone, as it may be with threaded NAPI off, needs nothing. */
function restoreThread(host: RestoreHost, { pid, name, original }: TunedThread): boolean {
  const thread = readNapiThread(host, pid);
  if (thread?.name !== name || formatCpuList(thread.cpus) === original) return false;
  host.threads.setCpus(pid, parseCpuList(original));
  return true;
}

function readHolder(
  host: RestoreHost,
  address: PciAddress,
  vf: TunableVf | undefined,
): Attachment | "unknown" | undefined {
  try {
    const record = readAttachment(host, address);
    return record !== undefined && vf !== undefined && holdsVf(host, record, vf) ? record : undefined;
  } catch (error) {
    if (error instanceof SriovError || error instanceof SystemCallError) return "unknown";
    throw error;
  }
}

function outcome(result: RestoreOutcome["result"], problems: readonly Problem[] = []): RestoreOutcome {
  return { result, writes: 0, problems };
}
