// What went wrong on one VF, as a value: counted and reported, never fatal.

import { HostError, SystemCallError } from "../host/errors.ts";
import { SriovError } from "../sriov/errors.ts";
import type { PciAddress } from "../sriov/pci-address.ts";

/** `vf`: "node" for what is about no VF in particular. `about`: "record", "policy", "vector 1", "rx-0", ...; `code`: an errno (EPERM), an ERR_ code, FALLBACK, PARTIAL or UNSUPPORTED. */
export interface Problem {
  readonly vf: PciAddress | "node";
  readonly about: string;
  readonly code: string;
  readonly message: string;
}

/** The problem that `error` is. An error that is none of ours is a defect and thrown on. */
export function describeProblem(vf: Problem["vf"], about: string, error: unknown): Problem {
  if (error instanceof SystemCallError) return { vf, about, code: error.errno, message: error.message };
  if (error instanceof HostError || error instanceof SriovError)
    return { vf, about, code: error.code, message: error.message };
  throw error;
}

/** The problem that something is asked for which the kernel or the driver does not have (`why`). */
export function unsupported(vf: Problem["vf"], about: string, why: string): Problem {
  return { vf, about, code: "UNSUPPORTED", message: `${about} is asked for: ${why}` };
}

/** What two problems have in common when they are the same one, seen again in a later pass. */
export function problemKey({ vf, about, code }: Problem): string {
  return `${vf} ${about} ${code}`;
}
