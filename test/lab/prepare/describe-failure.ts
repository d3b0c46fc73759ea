// Why an artefact that a machine may lack could not be made, as the reason that its tests are skipped with.
import { ExecaError } from "execa";

/** One line of 300 characters at most. Of a program that failed its last words: how it was called is longer than a reason may be. */
export function describeFailure(error: unknown): string {
  const words = error instanceof ExecaError ? String(error.stderr).trim().split("\n").at(-1) : undefined;
  const message = words || (error instanceof Error ? error.message : String(error));
  return message.replaceAll("\n", " ").slice(0, 300);
}
