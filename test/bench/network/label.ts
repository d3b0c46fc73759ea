// What the figures of a run are worth; it stands in every output.

import type { BenchOptions } from "./options.ts";

export type Label =
  | "measured on hardware"
  | "emulated, functional only"
  | "both ends on one machine, functional only"
  | "in a virtual machine, functional only"
  | "no hardware, functional only";

/** `isDevice`: the interface under test is one, not made by the kernel; `isVirtual`: the node under test is a virtual machine. */
export interface SeenMachine {
  readonly isDevice: boolean;
  readonly isVirtual: boolean;
}

/** Measured is only a device of a real machine whose load comes from other machines: a virtual one's NIC may be emulated. */
export function labelOf(
  { mode, role }: Pick<BenchOptions, "mode" | "role">,
  { isDevice, isVirtual }: SeenMachine,
): Label {
  if (mode === "lab") return "emulated, functional only";
  if (role === "both") return "both ends on one machine, functional only";
  if (!isDevice) return "no hardware, functional only";
  return isVirtual ? "in a virtual machine, functional only" : "measured on hardware";
}
