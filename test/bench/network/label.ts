// What the figures of a run are worth; it stands in every output.

import type { BenchOptions } from "./options.ts";

export type Label =
  | "measured on hardware"
  | "emulated, functional only"
  | "both ends on one machine, functional only";

/** Only a node whose load comes from other machines is measured. */
export function labelOf({ mode, role }: Pick<BenchOptions, "mode" | "role">): Label {
  if (mode === "lab") return "emulated, functional only";
  return role === "both" ? "both ends on one machine, functional only" : "measured on hardware";
}
