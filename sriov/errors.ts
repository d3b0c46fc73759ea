// Errors of the SR-IOV model: each has a stable code, listed in docs/errors.md with what to do about it.

/** Base of every error that `sriov/` and the programs throw. The message says what was done, on what, expected, got. */
export abstract class SriovError extends Error {
  abstract readonly code: `ERR_${string}`;
  override get name(): string {
    return this.code;
  }
}
