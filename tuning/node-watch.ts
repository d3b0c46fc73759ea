// Tells when the VFs in pods, their interrupts, the CPUs or what the node wants may have changed: records, links, uevents, node.yaml, resources.

import type { Host } from "../host/host.ts";
import type { NetlinkEvent } from "../host/netlink/netlink.ts";
import type { UeventNotice, Uevents } from "../host/uevent.ts";
import { watchFile } from "../host/watch-file.ts";
import { readAttachment, watchAttachments } from "../sriov/attachment-store.ts";
import type { PciAddress } from "../sriov/pci-address.ts";

/** The host as the daemon needs it. */
export type TuningDaemonHost = Host & { readonly uevents: Uevents };

/**
 * Calls `onEvent` when a look at the node may find something to do, until disposed. Uevents tell of CPUs that come and go and
 * of VFs and their drivers (a driver that is bound again has new interrupts); netlink tells of VFs that leave the host or return.
 */
export function watchNode(
  host: Pick<TuningDaemonHost, "files" | "paths" | "openNetlink" | "uevents">,
  onEvent: () => void,
): Disposable {
  using stack = new DisposableStack();
  stack.use(
    watchAttachments(host, (address) => {
      if (!isBeginning(host, address)) onEvent();
    }),
  );
  for (const path of [host.paths.nodeConfig, host.paths.pools]) stack.use(watchFile(host, path, onEvent));
  stack.use(
    host.uevents.subscribe((notice) => {
      if (isHardwareChange(notice)) onEvent();
    }),
  );
  const netlink = stack.use(host.openNetlink());
  stack.use(
    netlink.subscribe((event) => {
      if (isHardwareLink(event)) onEvent();
    }),
  );
  return stack.move();
}

/** An ADD that begins has nothing to tune yet, and the pass for its end would have to wait until the node was left alone for a while. */
function isBeginning(host: Pick<Host, "files" | "paths">, address: PciAddress): boolean {
  try {
    return readAttachment(host, address)?.state === "adding";
  } catch {
    // The pass tells what is wrong with it.
    return false;
  }
}

function isHardwareChange(notice: UeventNotice): boolean {
  return notice.event === "overrun" || ["cpu", "pci"].includes(notice.uevent.subsystem);
}

/** A VF that comes back to the host, or leaves it, is hardware: virtual links (a veth for each pod) wake nobody. */
function isHardwareLink(event: NetlinkEvent): boolean {
  return event.event === "overrun" || (event.event === "link" && event.link.parentDevice !== undefined);
}
