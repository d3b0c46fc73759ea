// What keeps virtfn from telling irqbalance to leave the interrupts of VFs alone.

import { SriovError } from "../../sriov/errors.ts";

/** The message says what irqbalance, or its configuration, was asked for, and what it said. */
export class IrqBalanceError extends SriovError {
  readonly code = "ERR_IRQBALANCE";

  constructor(problem: string, options?: ErrorOptions) {
    super(`telling irqbalance to keep off the interrupts of VFs: ${problem}`, options);
  }
}

/** It runs and nobody listens where it should: one that has just started soon does. */
export class IrqBalanceUnheardError extends IrqBalanceError {}
