// The machine's kernel and its drivers.

import { join } from "node:path";

import { SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { parseCpuList } from "../../sriov/cpu-list.ts";
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
