// What a pod can leave on its VF, and a VF never has on the host: it would read or drop the next pod's packets.

import type { Host } from "../host/host.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";

/**
 * Takes XDP and tcx programs off, and the modes that show a VF the packets of others. Moves between namespaces keep all of them. Throws
 * NetlinkError EBUSY for an XDP program that a bpf_link still holds: that ends with the process, or the pin, of the pod.
 */
export function clearPodLeftovers(
  host: Pick<Host, "trafficPrograms">,
  home: Pick<Netlink, "setLink">,
  link: Link,
): void {
  const { index, xdp, isPromiscuous, isAllMulticast } = link;
  for (const mode of xdp) home.setLink(index, { set: "withoutXdp", value: mode });
  host.trafficPrograms.removeAll(index);
  if (isPromiscuous) home.setLink(index, { set: "promiscuous", value: false });
  if (isAllMulticast) home.setLink(index, { set: "allMulticast", value: false });
}
