// Gives a VF the channels that its plan says, before its interrupts are pinned: they are others then.

import { HostError, LockTimeoutError, NetlinkError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { restoreAffinity } from "../sriov/affinity-restore.ts";
import { type Attachment, ownerToken } from "../sriov/attachment.ts";
import { SriovError } from "../sriov/errors.ts";
import type { TuningRecord } from "../sriov/tuning-record.ts";
import { removeTuningRecord, writeTuningRecord } from "../sriov/tuning-store.ts";
import { readUnchanged } from "./apply-plan.ts";
import { type ChannelStep, formatChannels, isSame, ownNote, pick, planChannels } from "./channel-plan.ts";
import { readChannels, type TunedVf } from "./node-state.ts";
import { describeProblem, type Problem, unsupported } from "./problem.ts";
import type { Refusals } from "./refusals.ts";
import { withRecordLink } from "./record-netns.ts";
import { isWorthKeeping, readOrQuarantine } from "./remember.ts";

/** `stale`, `busy`: see VfOutcome. `isChanged`: the VF's queues, and maybe its interrupts, are others than before. */
export interface ChannelOutcome {
  readonly result: "done" | "stale" | "busy";
  readonly isChanged: boolean;
  readonly problems: readonly Problem[];
}

type ChannelHost = Pick<
  Host,
  "files" | "paths" | "namespaces" | "locks" | "clock" | "openNetlink" | "openEthtool"
>;

/** Notes what was there before the change; one that fails is a problem in the outcome, and not tried again by this process. */
export async function applyChannels(
  host: ChannelHost,
  target: TunedVf,
  { refusals, lockTimeoutMs }: { readonly refusals: Refusals; readonly lockTimeoutMs: number },
): Promise<ChannelOutcome> {
  const { step, problems } = planChannels(target, refusals);
  if (step === undefined) return { result: "done", isChanged: false, problems };
  try {
    using _lock = await host.locks.acquire(target.vf.address, { timeoutMs: lockTimeoutMs });
    const record = readUnchanged(host, { target });
    if (record === undefined) return { result: "stale", isChanged: false, problems };
    const now = {
      ...target,
      record,
      saved: readOrQuarantine(host, target.vf),
      channels: readChannels(host, record),
    };
    const { step: due } = planChannels(now, refusals);
    // Another process did it meanwhile.
    if (due === undefined) return { result: "done", isChanged: true, problems };
    return changeLocked(host, { target: now, record, step: due }, refusals);
  } catch (error) {
    if (error instanceof LockTimeoutError) return { result: "busy", isChanged: false, problems };
    const problem = describeProblem(target.vf.address, "channels", error);
    return { result: "done", isChanged: false, problems: [...problems, problem] };
  }
}

interface Change {
  readonly target: TunedVf;
  readonly record: Attachment;
  readonly step: ChannelStep;
}

function changeLocked(host: ChannelHost, change: Change, refusals: Refusals): ChannelOutcome {
  const { target, record, step } = change;
  const before = target.saved ?? makeRecord(host, target);
  const original = ownNote(target)?.original ?? step.from;
  const note = { owner: ownerToken(record.owner), original, to: step.to, isSet: false };
  const isChanged = !isSame(step.from, step.to);
  // What is pinned now may be gone, or serve another queue: it is as it was, and forgotten, before that.
  const vectors = isChanged ? restoreVectors(host, target, before) : before.vectors;
  const noted = { ...before, vectors, channels: note };
  writeTuningRecord(host, { ...before, channels: note });
  if (isChanged) writeTuningRecord(host, noted);
  const problem = isChanged ? setChannels(host, change, refusals) : undefined;
  const done = step.isUndo ? undefined : { ...note, isSet: true };
  const after = { ...noted, channels: problem === undefined ? done : ownNote(target) };
  if (vectors.length === 0 && !isWorthKeeping(after)) removeTuningRecord(host, target.vf.address);
  else writeTuningRecord(host, after);
  return { result: "done", isChanged, problems: problem === undefined ? [] : [problem] };
}

/** The vectors that could not be put back. */
function restoreVectors(
  host: ChannelHost,
  { vf }: TunedVf,
  { vectors }: TuningRecord,
): TuningRecord["vectors"] {
  return vectors.filter((vector) => {
    try {
      restoreAffinity(host, vf, vector);
      return false;
    } catch (error) {
      if (error instanceof HostError || error instanceof SriovError) return true;
      throw error;
    }
  });
}

function setChannels(
  host: ChannelHost,
  { target, record, step }: Change,
  refusals: Refusals,
): Problem | undefined {
  const { address } = target.vf;
  try {
    const got = withRecordLink(host, record, (netns, index) => {
      using ethtool = host.openEthtool(netns);
      ethtool.setChannels(index, step.to);
      return pick(ethtool.getChannels(index) ?? {}, step.to);
    });
    const about = "channels";
    if (got === undefined)
      return { vf: address, about, code: "ENODEV", message: "the VF is gone from its pod" };
    if (isSame(got, step.to)) return undefined;
    refusals.addChannels(address, { ...step, from: got });
    return unsupported(
      address,
      about,
      `set ${formatChannels(step.to)}, the driver made ${formatChannels(got)}`,
    );
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno === "EBUSY")
      return describeProblem(address, "channels", error);
    refusals.addChannels(address, step);
    return unsupported(address, "channels", error.message);
  }
}

function makeRecord(host: Pick<Host, "clock">, { vf }: TunedVf): TuningRecord {
  return { address: vf.address, bootId: host.clock.bootId(), inode: String(vf.inode), vectors: [] };
}
