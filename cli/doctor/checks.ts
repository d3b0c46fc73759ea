// All checks, in the order in which a person would look.

import type { Check } from "./check.ts";
import { cniChecks } from "./cni-checks.ts";
import { interruptChecks } from "./interrupt-checks.ts";
import { kernelChecks } from "./kernel-checks.ts";
import { kubeletChecks } from "./kubelet-checks.ts";
import { limitChecks } from "./limit-checks.ts";
import { linkChecks } from "./link-checks.ts";
import { pinChecks } from "./pin-checks.ts";
import { vfChecks } from "./vf-checks.ts";

export const checks: readonly Check[] = [
  ...kernelChecks,
  ...kubeletChecks,
  ...cniChecks,
  ...limitChecks,
  ...vfChecks,
  ...linkChecks,
  ...pinChecks,
  ...interruptChecks,
];
