// Which CPUs a thread of the node may run on, and how soon this one does.

import type { Libc } from "./libc.ts";

export interface Threads {
  /** Lets it run on these CPUs only. SystemCallError: ESRCH it is gone, EINVAL none of them is online, or it may not be moved. */
  setCpus(pid: number, cpus: readonly number[]): void;
  /** Of the calling thread, and of what it starts from then on: -20 goes first, 19 last. SystemCallError: EACCES below 0 it takes CAP_SYS_NICE. */
  setNice(nice: number): void;
}

/** Threads by their number in this process's pid namespace. Source: sched_setaffinity(2), setpriority(2). */
export function createThreads(libc: Pick<Libc, "setAffinity" | "setNice">): Threads {
  return {
    setCpus: (pid, cpus) => libc.setAffinity(pid, encodeCpuSet(cpus)),
    setNice: (nice) => libc.setNice(nice),
  };
}

/** A cpu_set_t: whole 64-bit words, the lowest bit of the first byte is CPU 0. */
export function encodeCpuSet(cpus: readonly number[]): Uint8Array {
  const words = Math.floor(Math.max(0, ...cpus) / 64) + 1;
  const set = new Uint8Array(words * 8);
  for (const cpu of cpus) set[cpu >> 3] = (set[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return set;
}
