// One-value files of sysfs, where "the device does not say" has several errnos.

import { SystemCallError } from "../host/errors.ts";
import type { Files } from "../host/files.ts";

const silent: ReadonlySet<string> = new Set(["ENODEV", "ENXIO", "EINVAL", "EOPNOTSUPP", "ENOTSUP"]);

/** Trimmed text of an attribute; `undefined` when it is missing, the device does not support it, or it is just going away. */
export function readAttribute(files: Pick<Files, "readText">, path: string): string | undefined {
  try {
    return files.readText(path)?.trim();
  } catch (error) {
    if (error instanceof SystemCallError && silent.has(error.errno)) return undefined;
    throw error;
  }
}

/** Writes it, unless the device does not support that now: then it stays as it is. Throws ERR_SYSTEM_CALL for anything else. */
export function writeAttribute(files: Pick<Files, "writeText">, path: string, text: string): void {
  try {
    files.writeText(path, text);
  } catch (error) {
    if (!(error instanceof SystemCallError) || !silent.has(error.errno)) throw error;
  }
}

/** As `readAttribute`, as a number (decimal, or hexadecimal with 0x); `undefined` also when it is none. */
export function readNumber(files: Pick<Files, "readText">, path: string): number | undefined {
  const text = readAttribute(files, path);
  const value = text === undefined || text === "" ? Number.NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
}
