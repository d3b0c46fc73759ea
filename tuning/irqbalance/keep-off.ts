// Has a running irqbalance keep off the interrupts that tuning has pinned: by an entry among its policy scripts, or by its list.

import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { SriovError } from "../../sriov/errors.ts";
import { listTuningRecords } from "../../sriov/tuning-store.ts";
import { describeProblem, type Problem } from "../problem.ts";
import { readBans, takeFitting, writeBans } from "./ban-list.ts";
import { parseIrqBalanceArguments } from "./command-line.ts";
import { configureIrqBalance, isIrqBalanceConfigured, unconfigureIrqBalance } from "./config-file.ts";
import { IrqBalanceError, IrqBalanceUnheardError } from "./errors.ts";
import type { IrqBalanceFinder } from "./finder.ts";
import { listPinnedIrqs } from "./pinned-irqs.ts";
import { isPolicyFolder, ownPolicyFolder, removePolicyEntry, writePolicyEntry } from "./policy-entry.ts";
import type { IrqBalanceProcess } from "./process.ts";
import { readTold, type Told, type ToldRecord, writeTold } from "./told-record.ts";

export type IrqBalanceHost = Pick<Host, "files" | "paths" | "clock" | "locks" | "localSockets">;

/** Between a look at its list and the note of what is ours in it no other process may change either. */
const lockName = "irqbalance";

/**
 * `told`: what it was told in this call, if there was something new; `informedPid`: the one that knows now, whoever told it.
 * `isUnheard`: it runs and does not listen, not yet perhaps.
 */
export interface KeepOffOutcome {
  readonly told: { readonly pid: number; readonly irqs: readonly number[] } | undefined;
  readonly informedPid: number | undefined;
  readonly problems: readonly Problem[];
  readonly isUnheard: boolean;
}

export interface KeepOffOptions {
  readonly finder: IrqBalanceFinder;
  /** Whether its configuration file may be changed. */
  readonly configure: boolean;
}

/** Call it when pins may have come or gone. Nothing is said to an irqbalance that knows it already. Never throws for what goes wrong. */
export async function keepIrqBalanceOff(
  host: IrqBalanceHost,
  { finder, configure }: KeepOffOptions,
): Promise<KeepOffOutcome> {
  const problems: Problem[] = [];
  let isUnheard = false;
  async function attempt<T>(work: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HostError || error instanceof SriovError)) throw error;
      problems.push(describeProblem("node", "irqbalance", error));
      isUnheard ||= error instanceof IrqBalanceUnheardError;
      return undefined;
    }
  }
  const telling = await attempt(async () => {
    using _lock = await host.locks.acquire(lockName);
    await attempt(() => setUp(host, configure));
    return await tellPins(host, finder);
  });
  if (telling?.problem !== undefined) problems.push(describeProblem("node", "irqbalance", telling.problem));
  return { told: telling?.told, informedPid: telling?.pid, problems, isUnheard };
}

/** Takes everything back: our line, our entries, our part of the list. Throws ERR_IRQBALANCE, ERR_LOCK_TIMEOUT, ERR_SYSTEM_CALL. */
export async function leaveIrqBalance(host: IrqBalanceHost, finder: IrqBalanceFinder): Promise<void> {
  using _lock = await host.locks.acquire(lockName);
  unconfigureIrqBalance(host);
  const { told, folders } = readTold(host);
  for (const folder of folders) removePolicyEntry(host, folder);
  if (told !== undefined) {
    const running = finder.find();
    if (running !== undefined && isOf(host, told, running)) await replaceList(host, running, told, [], []);
  }
  writeTold(host, { told: undefined, folders: [] });
}

/** Whether there is something for `leaveIrqBalance` to do. */
export function hasIrqBalanceChanges(host: Pick<Host, "files" | "paths">): boolean {
  const { told, folders } = readTold(host);
  return told !== undefined || folders.length > 0 || isIrqBalanceConfigured(host);
}

function setUp(host: IrqBalanceHost, configure: boolean): void {
  if (!configure) {
    unconfigureIrqBalance(host);
    return;
  }
  putEntry(host, ownPolicyFolder);
  configureIrqBalance(host, ownPolicyFolder);
}

/** `told`: as in KeepOffOutcome, by the process `pid`; `problem`: what it can't be told all the same. */
interface Telling {
  readonly pid: number;
  readonly told: KeepOffOutcome["told"];
  readonly problem: IrqBalanceError | undefined;
}

async function tellPins(host: IrqBalanceHost, finder: IrqBalanceFinder): Promise<Telling | undefined> {
  const before = readTold(host);
  if (before.told === undefined && listTuningRecords(host).length === 0) return undefined;
  const running = finder.find();
  if (running === undefined) {
    if (before.told !== undefined) writeTold(host, { ...before, told: undefined });
    return undefined;
  }
  const known = before.told !== undefined && isOf(host, before.told, running) ? before.told : undefined;
  const pinned = listPinnedIrqs(host);
  if (pinned.length === 0 && known === undefined) return undefined;
  const { policyScript } = parseIrqBalanceArguments(running.args);
  if (policyScript !== undefined && isPolicyFolder(host, policyScript)) {
    putEntry(host, policyScript);
    return replaceList(host, running, known, [], pinned);
  }
  return replaceList(host, running, known, pinned, []);
}

/**
 * `banned`: what shall be in its list because of us, beside all that is there because of others; `covered`: what our entry
 * answers for from now on, which irqbalance asks when its list is replaced, even by the same one.
 */
async function replaceList(
  host: IrqBalanceHost,
  { pid, startTicks }: IrqBalanceProcess,
  known: Told | undefined,
  banned: readonly number[],
  covered: readonly number[],
): Promise<Telling> {
  const current = await readBans(host, pid);
  const others = current.filter((irq) => known?.irqs.includes(irq) !== true);
  const ours = banned.filter((irq) => !others.includes(irq));
  const isListed = (irq: number): boolean => current.includes(irq);
  // It would move one at once that left its list for another.
  const inOrder = [...ours.filter(isListed), ...ours.filter((irq) => !isListed(irq))];
  const fitting = takeFitting(others, inOrder).toSorted((a, b) => a - b);
  const wanted = [...others, ...fitting].toSorted((a, b) => a - b);
  const told: Told = { bootId: host.clock.bootId(), pid, startTicks, irqs: fitting, covered };
  const isNews = !isSame(current, wanted) || !isSame(known?.covered ?? [], covered);
  if (isNews) {
    // What is ours if it was said, and what is if not: a crash in between makes nothing others'.
    const either = [...new Set([...(known?.irqs ?? []), ...fitting])].toSorted((a, b) => a - b);
    remember(host, { ...told, irqs: either, covered: known?.covered ?? [] });
    await writeBans(host, pid, wanted);
    const now = await readBans(host, pid);
    if (!isSame(now, wanted))
      throw new IrqBalanceError(
        `process ${pid} was told to leave ${format(wanted)}, its list is ${format(now)}`,
      );
  }
  if (isNews || known === undefined || !isSame(known.irqs, fitting)) remember(host, told);
  return {
    pid,
    told: isNews ? { pid, irqs: covered.length > 0 ? covered : fitting } : undefined,
    problem: fitting.length < ours.length ? describeMissing(fitting, ours) : undefined,
  };
}

function describeMissing(fitting: readonly number[], ours: readonly number[]): IrqBalanceError {
  return new IrqBalanceError(
    `its socket takes ${fitting.length} of the ${ours.length} interrupts; start it with --policyscript=DIR, or have virtfn do so: tuning.irqbalance.configure of node.yaml`,
  );
}

function remember(host: IrqBalanceHost, told: Told): void {
  const isNothing = told.irqs.length === 0 && told.covered.length === 0;
  writeTold(host, { ...readTold(host), told: isNothing ? undefined : told });
}

function putEntry(host: IrqBalanceHost, folder: string): void {
  const record: ToldRecord = readTold(host);
  if (!record.folders.includes(folder))
    writeTold(host, { ...record, folders: [...record.folders, folder].toSorted() });
  writePolicyEntry(host, folder);
}

function isOf({ clock }: Pick<Host, "clock">, told: Told, running: IrqBalanceProcess): boolean {
  return told.bootId === clock.bootId() && told.pid === running.pid && told.startTicks === running.startTicks;
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.join() === right.join();
}

function format(irqs: readonly number[]): string {
  return irqs.length === 0 ? "no interrupt" : irqs.join(", ");
}
