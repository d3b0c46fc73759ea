// Appends to a log file that a configuration names: only a file of our own below the log folder, whatever is put in its way.

import * as fs from "node:fs";
import { dirname, join } from "node:path";

import { SystemCallError } from "./errors.ts";
import { attempt } from "./file-errors.ts";
import { isLogPath } from "./paths.ts";

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
const mode = 0o600;

/**
 * Appends `text` to `path` (absolute, as the node sees it), which must be below /var/log, where `folder` is; it is made when it
 * is missing, 0600. Throws SystemCallError for a link, a file of another kind, owner or mode, a second name of it, or a folder elsewhere.
 */
export function appendLog(folder: string, path: string, text: string): void {
  if (!isLogPath(path)) throw new SystemCallError("open", path, "expected a file below /var/log");
  const target = join(folder, path.slice("/var/log".length));
  attempt("open", path, () => {
    const [home, parent] = [fs.realpathSync.native(folder), fs.realpathSync.native(dirname(target))];
    if (parent !== home && !parent.startsWith(`${home}/`))
      throw new SystemCallError("open", path, `its folder leads to ${parent}, out of /var/log`);
    const fd = fs.openSync(target, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode);
    try {
      checkOwn(fs.fstatSync(fd), path);
      fs.writeSync(fd, text);
    } finally {
      fs.closeSync(fd);
    }
  });
}

function checkOwn(stat: fs.Stats, path: string): void {
  const expected = `expected a regular file of mode 0600 of user ${process.geteuid?.()} with one name`;
  const isOwn = stat.isFile() && stat.nlink === 1 && stat.uid === process.geteuid?.();
  if (isOwn && (stat.mode & 0o777) === mode) return;
  const got = `${stat.isFile() ? "file" : "no file"}, mode 0${(stat.mode & 0o777).toString(8)}, user ${stat.uid}`;
  throw new SystemCallError("open", path, `${expected}, got ${got}, ${stat.nlink} names`);
}
