// A folder that only a mount still holds, told from one that is there, is missing, or cannot be looked at.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { FileStat } from "../../../host/files.ts";
import { checkMountedFolders } from "../../../host/mounted-folders.ts";

const folder: FileStat = {
  kind: "directory",
  inode: 7n,
  device: 1n,
  sizeBytes: 0,
  mode: 0o755,
  changedMs: 0,
  isRemoved: false,
};

const files = {
  stat(path: string): FileStat | undefined {
    if (path === "/closed") throw new SystemCallError("stat", path, "EACCES");
    if (path === "/missing") return undefined;
    return { ...folder, isRemoved: path === "/removed" };
  },
};

test("only a folder that was removed is one", () => {
  checkMountedFolders(files, ["/closed", "/missing", "/there"]);
  expect(() => checkMountedFolders(files, ["/closed", "/missing", "/there", "/removed"])).toThrow(
    "/removed was removed on the host",
  );
});
