// What the figures of a run are worth; it stands in every output.

import type { BenchOptions } from "./options.ts";

export type Label =
  | "measured on hardware"
  | "emulated, functional only"
  | "both ends on one machine, functional only"
  | "no hardware, functional only";

/** Measured is only a device (`isDevice`: the interface under test is one, not made by the kernel) whose load comes from other machines. */
export function labelOf({ mode, role }: Pick<BenchOptions, "mode" | "role">, isDevice: boolean): Label {
  if (mode === "lab") return "emulated, functional only";
  if (role === "both") return "both ends on one machine, functional only";
  return isDevice ? "measured on hardware" : "no hardware, functional only";
}
