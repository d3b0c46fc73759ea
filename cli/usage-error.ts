// A command line that a command does not understand.

import { HostError } from "../host/errors.ts";

/** Thrown by each command's option parser; the entry prints it and exits with 2. */
export class UsageError extends HostError {
  readonly code = "ERR_USAGE";

  constructor(command: string, problem: string, options?: ErrorOptions) {
    super(`virtfn ${command}: ${problem}; see \`virtfn ${command} --help\``, options);
  }
}
