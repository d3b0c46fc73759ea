// What processes that were killed while they wrote a record left in its folder: a temporary file.

import { HostError, LockTimeoutError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { targetOfTemporary } from "../host/replace-file.ts";
import { addressOfFile } from "./attachment-store.ts";
import type { PciAddress } from "./pci-address.ts";

/**
 * Removes them, each under its VF's lock: a record is written by the lock's holder alone, so its writer is dead then. A VF that
 * is locked is left for the next time. Nothing depends on it: what the file system refuses is left, too.
 */
export async function removeUnfinishedRecords(host: Pick<Host, "files" | "paths" | "locks">): Promise<void> {
  try {
    const found = (host.files.list(host.paths.attachments) ?? []).flatMap((name) => {
      const address = addressOfFile(targetOfTemporary(name) ?? "");
      return address === undefined ? [] : [{ name, address }];
    });
    for (const { name, address } of found) await removeOne(host, name, address);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

async function removeOne(
  host: Pick<Host, "files" | "paths" | "locks">,
  name: string,
  address: PciAddress,
): Promise<void> {
  try {
    using _lock = await host.locks.acquire(address, { timeoutMs: 0 });
    host.files.remove(`${host.paths.attachments}/${name}`);
  } catch (error) {
    if (!(error instanceof LockTimeoutError)) throw error;
  }
}
