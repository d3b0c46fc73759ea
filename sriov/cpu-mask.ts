// CPU masks as sysfs has them: hexadecimal groups of 32 bits, the highest first, "ff,00000000".

import { CpuSetError } from "./errors.ts";

const shape = /^[0-9a-f]{1,8}(?:,[0-9a-f]{1,8})*$/;

/** CPU numbers in ascending order of a mask of the kernel. Throws ERR_CPU_MASK. Source: kernel lib/bitmap-str.c, bitmap_parse. */
export function parseCpuMask(text: string): readonly number[] {
  const trimmed = text.trim().toLowerCase();
  if (!shape.test(trimmed)) throw new CpuSetError("ERR_CPU_MASK", "a CPU mask like ff,00000000", text);
  return trimmed.split(",").toReversed().flatMap(cpusOfGroup);
}

/**
 * The mask of `cpus` in exactly `groups` groups: as many as the kernel prints for the file, since more is EOVERFLOW even
 * when zero. Throws ERR_CPU_MASK when a CPU does not fit.
 */
export function formatCpuMask(cpus: Iterable<number>, groups: number): string {
  const words = Array<number>(groups).fill(0);
  for (const cpu of cpus) {
    const group = cpu >> 5;
    if (cpu < 0 || group >= groups) {
      throw new CpuSetError("ERR_CPU_MASK", `CPUs below ${groups * 32}`, String(cpu));
    }
    words[group] = ((words[group] ?? 0) | (1 << (cpu & 31))) >>> 0;
  }
  return words
    .toReversed()
    .map((word) => word.toString(16).padStart(8, "0"))
    .join(",");
}

/** How many groups of 32 CPUs a mask has that the kernel printed. */
export function countMaskGroups(text: string): number {
  return text.trim().split(",").length;
}

function cpusOfGroup(group: string, index: number): number[] {
  const word = Number.parseInt(group, 16);
  const cpus: number[] = [];
  for (let bit = 0; bit < 32; bit += 1) if (((word >>> bit) & 1) === 1) cpus.push(index * 32 + bit);
  return cpus;
}
