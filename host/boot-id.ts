// Which start of the node this is.

import { SystemCallError } from "./errors.ts";
import type { Files } from "./files.ts";

/** The kernel's boot id, read below `proc`. Throws SystemCallError when it is not there. Source: kernel Documentation/admin-guide/sysctl/kernel.rst, "random". */
export function readBootId(files: Pick<Files, "readText">, proc: string): string {
  const path = `${proc}/sys/kernel/random/boot_id`;
  const text = files.readText(path);
  if (text === undefined) throw new SystemCallError("read", path, "ENOENT");
  return text.trim();
}
