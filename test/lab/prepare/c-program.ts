// The lab's few C programs: they run where nothing else is there, so they are linked statically.
import { join } from "node:path";
import type { Workshop } from "./workshop.ts";

/** Compiles test/lab/guest/NAME.c into the executable `out`. */
export async function compileStatic(
  workshop: Workshop,
  name: "agent" | "apic-guard" | "pause",
  out: string,
): Promise<void> {
  await workshop.run("gcc", [
    "-static",
    "-Os",
    "-s",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-o",
    out,
    join(workshop.guest, `${name}.c`),
  ]);
}
