// How many channels a VF shall have: as many as CPUs that its interrupts may go to.

import type { Channels } from "../host/netlink/ethtool.ts";
import { type Attachment, ownerToken } from "../sriov/attachment.ts";
import type { TunedChannels } from "../sriov/tuning-record.ts";
import type { TunedVf } from "./node-state.ts";
import { type Problem, unsupported } from "./problem.ts";
import type { Refusals } from "./refusals.ts";

/** Channels by kind. */
export type ChannelCounts = Readonly<Record<string, number>>;

/** `isUndo`: nobody asks for it any more, `to` is what was before. */
export interface ChannelStep {
  readonly from: ChannelCounts;
  readonly to: ChannelCounts;
  readonly isUndo: boolean;
}

export interface ChannelPlan {
  readonly step: ChannelStep | undefined;
  readonly problems: readonly Problem[];
}

/**
 * Set once for a pod, since a change of channels interrupts the traffic of the VF: again only where a policy deals the queues out
 * over CPUs whose number changed. Whoever changes them later has his way. Channels that the network asks for by number stay.
 */
export function planChannels(target: TunedVf, refusals: Refusals): ChannelPlan {
  const { vf, record, candidates, channels } = target;
  const noted = ownNote(target);
  if (candidates.policy === "none" || channels === undefined) return { step: undefined, problems: [] };
  const refuse = (why: string): ChannelPlan => ({
    step: undefined,
    problems: [unsupported(vf.address, "channels", why)],
  });
  const attempt = (step: ChannelStep): ChannelPlan =>
    refusals.hasChannels(vf.address, step)
      ? refuse(`the driver keeps ${formatChannels(step.from)}`)
      : { step, problems: [] };
  if (target.chosen.channelPerCpu !== true || isAskedByNumber(record))
    return noted === undefined
      ? { step: undefined, problems: [] }
      : attempt({ from: pick(channels, noted.original), to: noted.original, isUndo: true });
  const to = countChannels(channels, candidates.cpus.length);
  if (Object.keys(to).length === 0) return refuse("the driver has none to set");
  const isDone = noted?.isSet === true && (!candidates.isByQueue || isSame(noted.to, to));
  if (isDone) return { step: undefined, problems: [] };
  return attempt({ from: pick(channels, to), to, isUndo: false });
}

/** What was noted about the channels for the pod that has the VF now. */
export function ownNote({ saved, record }: Pick<TunedVf, "saved" | "record">): TunedChannels | undefined {
  return saved?.channels?.owner === ownerToken(record.owner) ? saved.channels : undefined;
}

/** Whether both have the same kinds with the same numbers. */
export function isSame(a: ChannelCounts, b: ChannelCounts): boolean {
  const kinds = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...kinds].every((kind) => a[kind] === b[kind]);
}

/** "combined 4" */
export function formatChannels(counts: ChannelCounts): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(", ");
}

/** The present numbers of the kinds that `like` has. */
export function pick(channels: Channels, like: ChannelCounts): ChannelCounts {
  const kinds = ["rx", "tx", "combined"] as const;
  return Object.fromEntries(
    kinds.flatMap((kind) => (like[kind] === undefined ? [] : [[kind, channels[kind]?.value ?? 0] as const])),
  );
}

// Combined channels where the driver has such, else as many for receiving as for sending.
function countChannels(channels: Channels, cpus: number): ChannelCounts {
  const kinds = channels.combined === undefined ? (["rx", "tx"] as const) : (["combined"] as const);
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const max = channels[kind]?.max;
      return max === undefined ? [] : [[kind, Math.min(cpus, max)] as const];
    }),
  );
}

function isAskedByNumber({ original }: Attachment): boolean {
  return Object.keys(original.sizes?.channels ?? {}).length > 0;
}
