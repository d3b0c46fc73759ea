// Paths inside another root: what /var/run/netns/x means to the host, read through /proc/1/root.

import { join } from "node:path";

import type { Files } from "../host/files.ts";

// As many as the kernel follows (MAXSYMLINKS).
const linkLimit = 40;

/**
 * The absolute path, below `root`, that `path` leads to: symbolic links are followed inside `root` (the kernel would take
 * an absolute one to this process's root), ".." stops there, missing parts stay as they are. Below /proc nothing is followed:
 * its links are the kernel's own. `undefined` when there are too many links.
 */
export function resolveInRoot(
  files: Pick<Files, "readLink">,
  root: string,
  path: string,
): string | undefined {
  const pending = path.split("/");
  const done: string[] = [];
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    done.push(part);
    const target = done[0] === "proc" && done.length > 1 ? undefined : files.readLink(join(root, ...done));
    if (target === undefined) continue;
    links += 1;
    if (links > linkLimit) return undefined;
    done.pop();
    if (target.startsWith("/")) done.length = 0;
    pending.unshift(...target.split("/"));
  }
  return `/${done.join("/")}`;
}
