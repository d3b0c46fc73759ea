// CPU lists as the kernel prints them: "0-3,8".

import { CpuSetError } from "./errors.ts";

const highestCpu = 65_535;

/** Repetitions included. */
const mostNamed = highestCpu + 1;

/**
 * CPU numbers in ascending order, each once, from the kernel's list format; empty text is no CPU. Accepts strides
 * ("0-9:1/2"). Throws ERR_CPU_LIST. Source: Documentation/admin-guide/kernel-parameters.rst, "cpu lists".
 */
export function parseCpuList(text: string): readonly number[] {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  const cpus = new Set<number>();
  let named = 0;
  for (const part of trimmed.split(",")) {
    const range = parseRange(part.trim(), text);
    for (const cpu of range) cpus.add(cpu);
    named += range.length;
    // A short text may name millions.
    if (named > mostNamed) throw new CpuSetError("ERR_CPU_LIST", `at most ${mostNamed} CPUs`, text);
  }
  return [...cpus].toSorted((a, b) => a - b);
}

/** The shortest list for `cpus`, given in any order: "0-3,8"; "" for none. */
export function formatCpuList(cpus: Iterable<number>): string {
  const ranges: { first: number; last: number }[] = [];
  for (const cpu of [...new Set(cpus)].toSorted((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && cpu === range.last + 1) range.last = cpu;
    else ranges.push({ first: cpu, last: cpu });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

function parseRange(part: string, whole: string): number[] {
  const match = /^(\d+)(?:-(\d+)(?::(\d+)\/(\d+))?)?$/.exec(part);
  if (match === null) throw new CpuSetError("ERR_CPU_LIST", "a CPU list like 0-3,8", whole);
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  const used = Number(match[3] ?? 1);
  const group = Number(match[4] ?? 1);
  if (last < first || last > highestCpu || used < 1 || used > group) {
    throw new CpuSetError("ERR_CPU_LIST", `ascending CPU numbers up to ${highestCpu}`, whole);
  }
  const span = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  return span.filter((cpu) => (cpu - first) % group < used);
}
