// Keeps a file of what the daemon knows, for the commands that look and for the next start.

import { HostError } from "../host/errors.ts";
import type { Log } from "../host/log.ts";

/** A file: its text, how it is written, and what is said when that fails. */
export interface ToldFile<T> {
  readonly format: (value: T) => string;
  readonly write: (value: T) => void;
  readonly failure: string;
  /** What is in it. */
  readonly known: T | undefined;
}

/** Writes the file at each call that tells something new. A failure is logged, and tried again. */
export function createFileTeller<T>(log: Log, file: ToldFile<T>): (value: T) => void {
  let written = file.known === undefined ? undefined : file.format(file.known);
  return (value) => {
    const text = file.format(value);
    if (text === written) return;
    try {
      file.write(value);
      written = text;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      log.warn({ error }, file.failure);
    }
  };
}
