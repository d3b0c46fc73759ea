// The machine's kernel, its drivers, and programs that move interrupts.

import { join } from "node:path";

import { HostError, SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { parseCpuList } from "../../sriov/cpu-list.ts";
import { initialPidNamespace } from "../../sriov/owner-facts.ts";
import { readAttribute } from "../../sriov/sysfs.ts";

type Eyes = Pick<Host, "files" | "paths">;

export interface KernelFacts {
  /** "6.12.3-amd64". */
  readonly release: string;
  /** PCI drivers that are loaded. */
  readonly drivers: ReadonlySet<string>;
  readonly onlineCpus: readonly number[];
}

/** Throws SystemCallError where the kernel does not tell its release. */
export function readKernelFacts({ files, paths }: Eyes): KernelFacts {
  const path = join(paths.proc, "sys/kernel/osrelease");
  const release = files.readText(path)?.trim();
  if (release === undefined) throw new SystemCallError("read", path, "ENOENT");
  const drivers = new Set(files.list(join(paths.sys, "bus/pci/drivers")));
  const online = readAttribute(files, join(paths.sys, "devices/system/cpu/online")) ?? "";
  return { release, drivers, onlineCpus: parseCpuList(online) };
}

export interface Process {
  readonly pid: number;
  /** Its command line. */
  readonly args: readonly string[];
}

/** Processes named irqbalance. Throws SystemCallError where not all processes of the machine are seen. */
export function readIrqBalancers({ files, paths }: Eyes): readonly Process[] {
  const own = join(paths.proc, "self/ns/pid");
  if (files.readLink(own) !== initialPidNamespace)
    throw new SystemCallError(
      "readlink",
      own,
      "the machine's processes are not seen from this PID namespace",
    );
  const pids = (files.list(paths.proc) ?? []).filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => readOf({ files, paths }, pid, "comm").trim() === "irqbalance")
    .map((pid) => ({
      pid: Number(pid),
      args: readOf({ files, paths }, pid, "cmdline").split("\0").filter(Boolean),
    }));
}

// A process may end meanwhile.
function readOf({ files, paths }: Eyes, pid: string, file: string): string {
  try {
    return files.readText(join(paths.proc, pid, file)) ?? "";
  } catch (error) {
    if (error instanceof HostError) return "";
    throw error;
  }
}
