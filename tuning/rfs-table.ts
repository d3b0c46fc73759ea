// The node's table of socket flows (net.core.rps_sock_flow_entries): large enough while VFs use RFS, and as it was afterwards.

import { join } from "node:path";

import { LockTimeoutError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { countSocketFlows } from "../sriov/rfs.ts";
import { readRfsNote, type RfsNote, writeRfsNote } from "../sriov/rfs-note.ts";
import { describeProblem, type Problem, unsupported } from "./problem.ts";
import type { RfsUsers } from "./rfs-users.ts";

/** Sizes in entries; both `undefined` where the kernel has no such table. */
export interface RfsTablePlan {
  readonly now: number | undefined;
  readonly to: number | undefined;
}

export interface RfsTableOutcome {
  readonly result: "done" | "busy" | "failed";
  readonly isWritten: boolean;
  readonly problems: readonly Problem[];
}

type TableHost = Pick<Host, "files" | "paths" | "locks">;

const about = "net.core.rps_sock_flow_entries";

/**
 * The table grows with its users, and is never made smaller than it is; without any it becomes what it was before tuning,
 * unless somebody else changed it since. Throws ERR_RECORD_CORRUPT, SystemCallError.
 */
export function planRfsTable(host: Pick<Host, "files" | "paths">, users: RfsUsers): RfsTablePlan {
  const now = readTable(host);
  if (now === undefined || users === "unknown") return { now, to: now };
  if (users > 0) return { now, to: Math.max(now, countSocketFlows(users)) };
  const note = readRfsNote(host);
  return { now, to: note?.written.includes(now) === true ? note.original : now };
}

/**
 * Brings the table to its size, and notes what it was before the first write. By `seen`, the users that were found before, there
 * may be nothing to do; what is done goes by those that `count` finds under the lock. Failures are problems of the node.
 */
export async function settleRfsTable(
  host: TableHost,
  users: { readonly seen: RfsUsers; readonly count: () => RfsUsers },
  lockTimeoutMs: number,
): Promise<RfsTableOutcome> {
  const { seen, count } = users;
  try {
    const isNoted = seen === 0 && readRfsNote(host) !== undefined;
    if (seen === "unknown" || (seen === 0 && !isNoted)) return outcome("done");
    const { now, to } = planRfsTable(host, seen);
    if (now === undefined)
      return outcome("done", isNoted ? [] : [unsupported("node", about, "the kernel has no such table")]);
    if (now === to && !isNoted) return outcome("done");
    using _lock = await host.locks.acquire("rfs", { timeoutMs: lockTimeoutMs });
    return settleLocked(host, count());
  } catch (error) {
    if (error instanceof LockTimeoutError) return outcome("busy");
    return outcome("failed", [describeProblem("node", about, error)]);
  }
}

/** Puts the table back as it was, whoever uses it. */
export async function restoreRfsTable(host: TableHost, lockTimeoutMs: number): Promise<RfsTableOutcome> {
  return settleRfsTable(host, { seen: 0, count: () => 0 }, lockTimeoutMs);
}

function settleLocked(host: TableHost, users: RfsUsers): RfsTableOutcome {
  if (users === "unknown") return outcome("done");
  const { now, to } = planRfsTable(host, users);
  const isWritten = now !== undefined && to !== undefined && now !== to;
  if (isWritten) {
    if (users > 0) writeRfsNote(host, noteChange(readRfsNote(host), now, to));
    host.files.writeText(tablePath(host), String(to));
  }
  if (users === 0) writeRfsNote(host, undefined);
  const got = readTable(host);
  if (got === to) return { result: "done", isWritten, problems: [] };
  const message = `wrote ${about} ${to}, the kernel kept ${got ?? "nothing"}`;
  return { result: "done", isWritten, problems: [{ vf: "node", about, code: "PARTIAL", message }] };
}

// A size that is not of tuning is the administrator's, and what is put back then.
function noteChange(note: RfsNote | undefined, now: number, to: number): RfsNote {
  const isOurs = note?.written.includes(now) === true;
  const written = [...new Set([...(note?.written ?? []), to])];
  return { original: isOurs ? note.original : now, written };
}

function readTable(host: Pick<Host, "files" | "paths">): number | undefined {
  const text = host.files.readText(tablePath(host))?.trim();
  return text === undefined ? undefined : Number(text);
}

// The host's network namespace alone has it. Source: kernel net/core/sysctl_net_core.c.
function tablePath({ paths }: Pick<Host, "paths">): string {
  return join(paths.proc, "sys/net/core/rps_sock_flow_entries");
}

function outcome(result: RfsTableOutcome["result"], problems: readonly Problem[] = []): RfsTableOutcome {
  return { result, isWritten: false, problems };
}
