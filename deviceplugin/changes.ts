// Tells when the VFs of the node may have changed: PCI uevents, links of the node's namespace.
import type { Host } from "../host/host.ts";
import type { NetlinkEvent } from "../host/netlink/netlink.ts";
import type { UeventNotice, Uevents } from "../host/uevent.ts";

/** The host as the device plugin needs it. */
export type DevicePluginHost = Host & { readonly uevents: Uevents };

/**
 * Calls `onChange` when a look at the node may find something new, until disposed. Uevents tell of VFs and their drivers;
 * netlink tells of names, masters and addresses, which decide whether the node lives on a VF.
 */
export function watchChanges(
  host: Pick<DevicePluginHost, "openNetlink" | "uevents">,
  onChange: () => void,
): Disposable {
  using stack = new DisposableStack();
  stack.use(
    host.uevents.subscribe((notice) => {
      if (isPciChange(notice)) onChange();
    }),
  );
  const netlink = stack.use(host.openNetlink());
  stack.use(
    netlink.subscribe((event) => {
      if (isLinkChange(event)) onChange();
    }),
  );
  return stack.move();
}

function isPciChange(notice: UeventNotice): boolean {
  return notice.event === "overrun" || ["pci", "auxiliary"].includes(notice.uevent.subsystem);
}

/** Pods come and go as veth pairs, ports of a bridge: no VF has to do with them. */
function isLinkChange(event: NetlinkEvent): boolean {
  return event.event !== "link" || event.link.kind !== "veth";
}
