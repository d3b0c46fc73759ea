// What a process costs, by the kernel's count. Source: proc(5).

import * as fs from "node:fs";

/** The kernel counts CPU time in hundredths of a second: USER_HZ. */
const tickMs = 10;

/** User and system time of all its threads: fields 14 and 15 of stat. */
export function readCpuMs(pid: number): number {
  const fields = fs
    .readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** Memory that it has in RAM: VmRSS of status. */
export function readRssMb(pid: number): number {
  const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kb) / 1024);
}
