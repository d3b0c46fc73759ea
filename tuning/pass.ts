// One pass over the node: look, plan, carry out VF by VF, put back what nobody holds, have irqbalance keep off, announce.

import type { Host } from "../host/host.ts";
import type { ContestedPin, Opponent } from "../sriov/contested-pins.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { announcePending, type AnnounceOutcome } from "./announce-pending.ts";
import { applyChannels, type ChannelOutcome } from "./apply-channels.ts";
import { applyVfPlan, type VfOutcome } from "./apply-plan.ts";
import type { ContestChange } from "./contests.ts";
import type { KeepOffOutcome } from "./irqbalance/keep-off.ts";
import type { Patience } from "./irqbalance/keeper.ts";
import type { NodeFacts } from "./node-facts.ts";
import { planNode, type VfPlan } from "./node-plan.ts";
import { type NodeState, readNodeState } from "./node-state.ts";
import { isHandsOff } from "./vf-policy.ts";
import { guessOpponent } from "./opponent.ts";
import type { PassMemory } from "./pass-memory.ts";
import type { Problem } from "./problem.ts";
import { type RfsTableOutcome, settleRfsTable } from "./rfs-table.ts";
import { countRfsUsers, countSeenRfsUsers } from "./rfs-users.ts";
import { restoreVfs, type RestoreOutcome } from "./restore.ts";

export type TuningHost = Pick<
  Host,
  | "files"
  | "paths"
  | "namespaces"
  | "locks"
  | "clock"
  | "openNetlink"
  | "openEthtool"
  | "openNapis"
  | "threads"
  | "localSockets"
>;

export interface PassOptions {
  readonly memory: PassMemory;
  readonly facts: NodeFacts;
  /** How long to wait for the lock of one VF. */
  readonly lockTimeoutMs: number;
  /** With irqbalance; undefined: to the end. */
  readonly patience?: Patience;
}

/** What one pass saw, meant to do and did. */
export interface PassReport {
  readonly state: NodeState;
  readonly plans: readonly VfPlan[];
  /** How long it took to make them. */
  readonly planMs: number;
  /** MSI indexes of pins that someone else undid since the pass before. */
  readonly undone: ReadonlyMap<PciAddress, readonly number[]>;
  /** Pins that something undoes again and again, and what changed about them in this pass. */
  readonly contested: readonly ContestedPin[];
  readonly contestChanges: readonly ContestChange[];
  readonly channels: ReadonlyMap<PciAddress, ChannelOutcome>;
  readonly applied: ReadonlyMap<PciAddress, VfOutcome>;
  readonly restored: ReadonlyMap<PciAddress, RestoreOutcome>;
  /** What irqbalance was told since the pass before. */
  readonly irqBalance: KeepOffOutcome["told"];
  readonly rfsTable: RfsTableOutcome;
  /** Of the VFs whose addresses were still to be announced. */
  readonly announced: ReadonlyMap<PciAddress, AnnounceOutcome>;
  readonly problems: readonly Problem[];
  /** Something is not there yet, was locked, or changed meanwhile: another pass soon is worth it. */
  readonly isUnfinished: boolean;
}

const unfinished: ReadonlySet<
  (ChannelOutcome | VfOutcome | RestoreOutcome | RfsTableOutcome | AnnounceOutcome)["result"]
> = new Set(["stale", "busy", "unsettled", "failed"]);

/** Runs one pass. Nothing that goes wrong on one VF keeps the others from being tuned. */
export async function runPass(host: TuningHost, options: PassOptions): Promise<PassReport> {
  const { parsers } = options.memory;
  const first = readNodeState(host, options.facts, parsers);
  const { refusals, fullCpus, undone, contests } = options.memory;
  const passedOn = options.memory.owners.follow(first.vfs);
  const vfs = new Set(first.vfs.map(({ vf }) => vf.address));
  refusals.keepOnly(vfs);
  fullCpus.keepOnly(vfs);
  contests.keepOnly(vfs.difference(passedOn));
  const restored = await restoreVfs(host, first.toRestore, {
    evenInPods: (record) => isHandsOff(options.facts, record),
    lockTimeoutMs: options.lockTimeoutMs,
  });
  const channels = new Map<PciAddress, ChannelOutcome>();
  for (const target of first.vfs)
    channels.set(
      target.vf.address,
      await applyChannels(host, target, { refusals, lockTimeoutMs: options.lockTimeoutMs }),
    );
  // Other channels are other queues and interrupts.
  const areChanged = [...channels.values()].some(({ isChanged }) => isChanged);
  const state = areChanged
    ? { ...readNodeState(host, options.facts, parsers), toRestore: first.toRestore }
    : first;
  const fresh = undone.add(state, { contests, passedOn });
  const begun = contests.add(fresh, (vf, msiIndex) => guess(host, state, vf, msiIndex));
  const startedMs = host.clock.monotonicMs();
  const plans = planNode(state, options.memory);
  const planMs = host.clock.monotonicMs() - startedMs;
  const applied = new Map<PciAddress, VfOutcome>();
  for (const plan of plans) {
    const { address } = plan.target.vf;
    const outcome = await applyVfPlan(host, plan, options);
    undone.settle(address, outcome);
    applied.set(address, outcome);
  }
  const { configureIrqBalance } = options.facts.config;
  const keeper = options.memory.irqBalance;
  const irqBalance = await keeper.keepOff(configureIrqBalance, options.patience);
  const { told, informedPid } = irqBalance;
  // These rested in the plan, and are pinned in the next pass.
  const forgiven = informedPid === undefined ? [] : contests.forgive(informedPid, keeper.finder.ageMs());
  const rfsUsers = {
    seen: countSeenRfsUsers(state),
    count: () => countRfsUsers(host, options.facts),
  };
  const rfsTable = await settleRfsTable(host, rfsUsers, options.lockTimeoutMs);
  const announced = new Map<PciAddress, AnnounceOutcome>();
  for (const { record } of state.vfs)
    if (record.announce === "pending")
      announced.set(record.device.address, await announcePending(host, record, options.lockTimeoutMs));
  const outcomes = [
    ...channels.values(),
    ...applied.values(),
    ...restored.values(),
    rfsTable,
    ...announced.values(),
  ];
  return {
    state,
    plans,
    planMs,
    undone: fresh,
    contested: contests.list(),
    contestChanges: [...begun, ...forgiven],
    channels,
    applied,
    restored,
    irqBalance: told,
    rfsTable,
    announced,
    problems: [
      ...state.problems,
      ...plans.flatMap(({ problems }) => problems),
      ...options.memory.astray.add({ plans, applied }),
      ...irqBalance.problems,
      ...outcomes.flatMap(({ problems }) => problems),
    ],
    isUnfinished:
      plans.some(({ isWaiting }) => isWaiting) ||
      irqBalance.isUnheard ||
      forgiven.length > 0 ||
      outcomes.some(({ result }) => unfinished.has(result)),
  };
}

function guess(host: TuningHost, state: NodeState, address: PciAddress, msiIndex: number): Opponent {
  const target = state.vfs.find(({ vf }) => vf.address === address);
  const vector = target?.vectors.find((each) => each.msiIndex === msiIndex);
  return vector === undefined ? "unknown" : guessOpponent(host, vector);
}
