// Which CPUs a thread of the node may run on.

import type { Libc } from "./libc.ts";

export interface Threads {
  /** Lets it run on these CPUs only. SystemCallError: ESRCH it is gone, EINVAL none of them is online, or it may not be moved. */
  setCpus(pid: number, cpus: readonly number[]): void;
}

/** Threads by their number in this process's pid namespace. Source: sched_setaffinity(2). */
export function createThreads(libc: Pick<Libc, "setAffinity">): Threads {
  return { setCpus: (pid, cpus) => libc.setAffinity(pid, encodeCpuSet(cpus)) };
}

/** A cpu_set_t: whole 64-bit words, the lowest bit of the first byte is CPU 0. */
export function encodeCpuSet(cpus: readonly number[]): Uint8Array {
  const words = Math.floor(Math.max(0, ...cpus) / 64) + 1;
  const set = new Uint8Array(words * 8);
  for (const cpu of cpus) set[cpu >> 3] = (set[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return set;
}
