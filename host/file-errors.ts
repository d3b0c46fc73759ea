// Turns the errors of node:fs into ours, and "not there" into a value.

import { SystemCallError } from "./errors.ts";

/** What `work` gives, or `absent` when it fails with one of `errnos`; any other failure is a SystemCallError. */
export function absentAs<T, A>(
  absent: A,
  call: string,
  path: string,
  work: () => T,
  errnos: readonly string[] = ["ENOENT", "ENOTDIR"],
): T | A {
  try {
    return work();
  } catch (error) {
    if (errnos.includes(errnoOf(error))) return absent;
    throw toSystemCallError(call, path, error);
  }
}

/** What `work` gives; a failure is a SystemCallError of `call` on `on`. */
export function attempt<T>(call: string, on: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toSystemCallError(call, on, error);
  }
}

function toSystemCallError(call: string, on: string, error: unknown): SystemCallError {
  return error instanceof SystemCallError
    ? error
    : new SystemCallError(call, on, errnoOf(error), { cause: error });
}

function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : String(error);
}
