// Masks of a netdev's queues as the kernel takes and prints them.

import * as fs from "node:fs";

import { SystemCallError } from "../../host/errors.ts";

/**
 * Writes a mask: it reads back with as many digits as there are CPUs, or receive queues, in groups of 32 bits. Throws
 * SystemCallError: EINVAL for what is no mask, EOVERFLOW for more groups than the file has, even of zeros.
 */
export function writeMask(path: string, text: string): void {
  const groups = text.trim().split(",");
  if (groups.some((group) => !/^[0-9a-f]{1,8}$/i.test(group)))
    throw new SystemCallError("write", path, "EINVAL");
  const present = fs.existsSync(path) ? fs.readFileSync(path, "utf8").trim().split(",") : [];
  if (present.length > 0 && groups.length > present.length)
    throw new SystemCallError("write", path, "EOVERFLOW");
  if (present.length > 1) {
    const all = [...present.map(() => "0"), ...groups].slice(-present.length);
    fs.writeFileSync(path, `${all.map((group) => group.padStart(8, "0")).join(",")}\n`);
    return;
  }
  const digits = path.endsWith("xps_rxqs") ? 1 : 2;
  fs.writeFileSync(path, `${Number.parseInt(groups.join(""), 16).toString(16).padStart(digits, "0")}\n`);
}
