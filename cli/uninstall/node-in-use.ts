// Who needs virtfn on this node: pods with records, and CNI calls under way.

import { LockTimeoutError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import { readAttachments } from "../../sriov/attachment-store.ts";
import { UninstallError } from "./errors.ts";

/** Throws ERR_UNINSTALL, naming the pods, while a VF has a record, readable or not. */
export function checkUnused(host: Pick<Host, "files" | "paths">): void {
  const { records, unreadable } = readAttachments(host);
  const holders = [...records.map(describe), ...unreadable.map(({ path }) => `somebody (${path})`)];
  if (holders.length === 0) return;
  const what = holders.length === 1 ? "a VF is" : `${holders.length} VFs are`;
  throw new UninstallError(
    `${what} in use by ${holders.join(", ")}; delete the pods, or look at \`virtfn repair\``,
  );
}

/** Throws ERR_UNINSTALL while a process has one of our locks: a CNI call that began before the entry was taken out. */
export async function checkNoCall(host: Pick<Host, "files" | "paths" | "locks">): Promise<void> {
  for (const name of host.files.list(host.paths.locks) ?? []) {
    try {
      using _lock = await host.locks.acquire(name, { timeoutMs: 0 });
    } catch (error) {
      if (!(error instanceof LockTimeoutError)) throw error;
      throw new UninstallError(error.message, { cause: error });
    }
  }
}

function describe({ owner, device }: Attachment): string {
  const { pod, containerId } = owner;
  const name =
    pod === undefined ? `container ${containerId.slice(0, 12)}` : `pod ${pod.namespace}/${pod.name}`;
  return `${name} (${device.address})`;
}
