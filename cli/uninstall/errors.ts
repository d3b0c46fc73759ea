// Why the node's things are not taken away.

import { HostError } from "../../host/errors.ts";

/** Something still needs what would be removed, or could not be put back; what was done so far stays done. */
export class UninstallError extends HostError {
  readonly code = "ERR_UNINSTALL";

  constructor(problem: string, options?: ErrorOptions) {
    super(`cannot take virtfn off this node: ${problem}`, options);
  }
}
