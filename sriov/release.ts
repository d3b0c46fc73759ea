// Gives back what a record says a pod has: addresses first, then the VF, then the record itself.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import type { Attachment } from "./attachment.ts";
import { formatAttachment } from "./attachment-format.ts";
import { removeAttachment, writeAttachment } from "./attachment-store.ts";
import { removeCniDeviceInfo } from "./cni-device-info.ts";
import { ipamCallOf, needsNoInterface, releaseIpam, type IpamCall } from "./ipam.ts";
import type { KeptSetting } from "./kept-settings.ts";
import type { PciAddress } from "./pci-address.ts";
import { removeUserspaceCopy } from "./userspace-copy.ts";
import { ReleaseError } from "./vf-errors.ts";
import { restoreVf } from "./vf-restore.ts";

/**
 * Releases the addresses, brings the VF home as it was and forgets the record. `netns` is the owner's namespace, undefined when
 * it is gone. Each part is tried even when another fails; then the record stays, as `releasing`, and ERR_RELEASE lists what is
 * left: doing it again goes on from there; its `owedRate` where only that is left. Gives what `restoreVf` gives. The caller holds the VF's lock.
 */
export async function releaseAttachment(
  host: Host,
  record: Attachment,
  netns: NetnsHandle | undefined,
): Promise<readonly KeptSetting[]> {
  const { address } = record.device;
  if (record.state === "attached") note(host, { ...record, state: "releasing" });
  const call = ipamCallOf(record, netns === undefined ? "" : record.owner.netns);
  const kept = await endBoth(host, address, call, () => restoreVf(host, record, netns)).catch(
    (error: unknown) => {
      if (error instanceof ReleaseError && error.owedRate !== undefined) noteOwed(host, record);
      throw error;
    },
  );
  removeCniDeviceInfo(host, record.deviceInfoFile);
  removeUserspaceCopy(host, address);
  removeAttachment(host, address);
  return kept;
}

/** How long a delegate that may work through the VF's interface has it for itself: a pod's end does not hang on it. */
const headStartMs = 5_000;

/**
 * Releases the lease of `call` and has `giveBack` work on the links beside it, whatever becomes of the other; gives what the VF keeps.
 * Throws ERR_RELEASE with all that failed.
 */
export async function endBoth(
  host: Host,
  address: PciAddress,
  call: IpamCall | undefined,
  giveBack: () => Promise<readonly KeptSetting[]>,
): Promise<readonly KeptSetting[]> {
  const leasing = call === undefined ? Promise.resolve() : releaseIpam(host, call);
  // Without the interface dhcp could not tell its server: the address would be nobody's until it expires.
  if (call !== undefined && call.netns !== "" && !needsNoInterface(call.lease))
    await waitAtMost(host, leasing, headStartMs);
  const [leased, restored] = await Promise.allSettled([leasing, giveBack()]);
  const problems = [leased, restored]
    .filter((result) => result.status === "rejected")
    .map(({ reason }) => reason as unknown);
  if (problems.length > 0 || restored.status === "rejected") throw new ReleaseError(address, problems);
  return restored.value;
}

async function waitAtMost({ clock }: Pick<Host, "clock">, work: Promise<void>, ms: number): Promise<void> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).catch(() => undefined);
  await Promise.race([Promise.allSettled([work]), late]);
  over.abort();
}

/** Of a VF that owes its rate alone: all else is done, and not done again. Its address and device-info file may be another pod's by then. */
function noteOwed(host: Host, record: Attachment): void {
  removeCniDeviceInfo(host, record.deviceInfoFile);
  const done = { ipam: undefined, resetBetweenPods: undefined, deviceInfoFile: undefined };
  const owed: Attachment = { ...record, ...done, state: "releasing" };
  // Whoever watches the records is not told what is so already.
  if (formatAttachment(owed) !== formatAttachment(record)) note(host, owed);
}

/** For whoever looks at the node meanwhile. A full disk must not keep a pod from ending: nothing depends on it. */
function note(host: Host, record: Attachment): void {
  try {
    writeAttachment(host, record);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

/** Opens the namespace of the record's owner, by `path` or as the record has it; `undefined` when it is gone or is another one now. */
export function openOwnerNetns(
  host: Pick<Host, "namespaces">,
  record: Pick<Attachment, "owner">,
  path: string = record.owner.netns,
): NetnsHandle | undefined {
  const netns = host.namespaces.open(path);
  if (netns === undefined || String(netns.cookie) === record.owner.cookie) return netns;
  netns[Symbol.dispose]();
  return undefined;
}
