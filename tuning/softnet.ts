// What the kernel's receive path lost or put off, by CPU: whether the interrupts of VFs are too much for one.

import { join } from "node:path";
import type { Host } from "../host/host.ts";

/** `dropped`: packets that found the backlog full (RPS); `squeezed`: times that the budget ended before the packets did. */
export interface SoftnetCounts {
  readonly cpu: number;
  readonly dropped: number;
  readonly squeezed: number;
}

/** Reads /proc/net/softnet_stat; none where there is no such file. */
export function readSoftnet(host: Pick<Host, "files" | "paths">): readonly SoftnetCounts[] {
  return parseSoftnet(host.files.readText(join(host.paths.proc, "net/softnet_stat")) ?? "");
}

/**
 * One line for each online CPU, in hexadecimal: the second column is dropped, the third squeezed, the thirteenth the CPU; on a
 * kernel before 5.10, which does not tell the CPU, it is the number of the line. Source: kernel net/core/net-procfs.c, softnet_seq_show.
 */
export function parseSoftnet(text: string): readonly SoftnetCounts[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^[0-9a-f]+( [0-9a-f]+){2,}$/.test(line))
    .map((line, at) => {
      const columns = line.split(" ").map((column) => Number.parseInt(column, 16));
      return { cpu: columns[12] ?? at, dropped: columns[1] ?? 0, squeezed: columns[2] ?? 0 };
    });
}
