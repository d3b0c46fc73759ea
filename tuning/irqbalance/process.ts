// Running irqbalance processes.

import { join } from "node:path";

import { SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { listProcesses } from "../../sriov/processes.ts";

export interface IrqBalanceProcess {
  readonly pid: number;
  /** When it started, as the kernel counts: with the pid it tells one process from all others of a boot. */
  readonly startTicks: string;
  /** Without the program's name. */
  readonly args: readonly string[];
}

type Eyes = Pick<Host, "files" | "paths">;

/** The process of this number, if it is the host's irqbalance. */
export function readIrqBalance(host: Eyes, pid: number): IrqBalanceProcess | undefined {
  const folder = join(host.paths.proc, `${pid}`);
  if (read(host, join(folder, "comm")).trim() !== "irqbalance") return undefined;
  if (!isOfHostRoot(read(host, join(folder, "status")))) return undefined;
  const [, ...args] = read(host, join(folder, "cmdline")).split("\0").filter(Boolean);
  return { pid, startTicks: parseStartTicks(read(host, join(folder, "stat"))), args };
}

/** How long it runs; Infinity where that cannot be told. Source: proc_uptime(5); of proc_pid_stat(5) the ticks, 100 in a second. */
export function readAgeMs(host: Eyes, { startTicks }: Pick<IrqBalanceProcess, "startTicks">): number {
  const uptimeMs = 1_000 * Number.parseFloat(read(host, join(host.paths.proc, "uptime")));
  const ageMs = uptimeMs - 10 * Number(startTicks);
  return Number.isNaN(ageMs) ? Infinity : ageMs;
}

/** All of them; reads one file of every process of the machine. */
export function listIrqBalance(host: Eyes): readonly IrqBalanceProcess[] {
  return listProcesses(host).flatMap((pid) => readIrqBalance(host, Number(pid)) ?? []);
}

/** Those that have their socket where the service has it: found without a look at every process. */
export function listServedIrqBalance(host: Eyes): readonly IrqBalanceProcess[] {
  return (host.files.list(socketFolder(host)) ?? []).flatMap((name) => {
    const [, pid] = /^irqbalance(\d+)\.sock$/.exec(name) ?? [];
    return pid === undefined ? [] : (readIrqBalance(host, Number(pid)) ?? []);
  });
}

/** Where irqbalance of this number listens, most likely first. The path is that of the service; without the folder it takes an
 *  abstract name: its own before 1.6, one of NULs alone since then. Source: init_socket of irqbalance.c. */
export function listAddresses(host: Pick<Host, "paths">, pid: number): readonly string[] {
  const name = `irqbalance${pid}.sock`;
  return [join(socketFolder(host), name), `\0${name}`, "\0".repeat(108)];
}

function socketFolder({ paths }: Pick<Host, "paths">): string {
  return join(paths.hostRoot, "run/irqbalance");
}

/**
 * Root of the host's PID namespace. Any process of a pod may take that name and arguments, which say where an entry is put.
 * Source: proc_pid_status(5): NSpid has one number for each namespace, from that of this /proc inwards.
 */
function isOfHostRoot(status: string): boolean {
  return /^Uid:\s+0\s/m.test(status) && /^NSpid:\s+\d+$/m.test(status);
}

/** Field 22. Source: proc_pid_stat(5); the name in field 2 may have spaces and parentheses. */
function parseStartTicks(stat: string): string {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

// A process that ends while it is looked at (ESRCH) is none.
function read({ files }: Eyes, path: string): string {
  try {
    return files.readText(path) ?? "";
  } catch (error) {
    if (error instanceof SystemCallError) return "";
    throw error;
  }
}
