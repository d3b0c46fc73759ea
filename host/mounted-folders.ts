// Folders of the node as a container has them: one that is removed on the node stays in the container, and is nobody else's then.

import { HostError, SystemCallError } from "./errors.ts";
import type { Files, FileStat } from "./files.ts";

/** A folder was removed on the host, and what this container has of it is not the host's any more. */
class FolderRemovedError extends HostError {
  readonly code = "ERR_FOLDER_REMOVED";

  constructor(folder: string) {
    super(
      `${folder} was removed on the host, and this container still has the removed one: ending, to be started again with the one that is there`,
    );
  }
}

/**
 * Throws ERR_FOLDER_REMOVED for a folder that only a mount still holds: what is written there nobody reads, and a lock in it locks
 * out nobody. One that is missing, or cannot be looked at, is none of these.
 */
export function checkMountedFolders(files: Pick<Files, "stat">, folders: readonly string[]): void {
  const removed = folders.find((folder) => tryStat(files, folder)?.isRemoved === true);
  if (removed !== undefined) throw new FolderRemovedError(removed);
}

function tryStat(files: Pick<Files, "stat">, path: string): FileStat | undefined {
  try {
    return files.stat(path);
  } catch (error) {
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
}
