// What a pod can leave on its VF, and a VF never has on the host: it would read or drop the next pod's packets.

import { HostError, NetlinkError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Link, LinkXdp, Netlink } from "../host/netlink/netlink.ts";
import { VfProgramError } from "./vf-errors.ts";

/**
 * Takes XDP and tcx programs off, also those that a bpf_link holds, and the modes that show a VF the packets of others. Moves between
 * namespaces keep all of them. Throws ERR_VF_PROGRAM, NetlinkError.
 */
export function clearPodLeftovers(
  host: Pick<Host, "trafficPrograms">,
  home: Pick<Netlink, "setLink">,
  link: Link,
): void {
  const { index, xdp, isPromiscuous, isAllMulticast } = link;
  for (const held of xdp) removeXdp(host, home, link, held);
  host.trafficPrograms.removeAll(index);
  if (isPromiscuous) home.setLink(index, { set: "promiscuous", value: false });
  if (isAllMulticast) home.setLink(index, { set: "allMulticast", value: false });
}

function removeXdp(
  { trafficPrograms }: Pick<Host, "trafficPrograms">,
  home: Pick<Netlink, "setLink">,
  { index, name }: Link,
  { mode, program }: LinkXdp,
): void {
  const remove = (): void => home.setLink(index, { set: "withoutXdp", value: mode });
  try {
    remove();
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== "EBUSY") throw error;
    try {
      trafficPrograms.removeHeldXdp(index, program);
      remove();
    } catch (cause) {
      if (!(cause instanceof HostError)) throw cause;
      throw new VfProgramError(name, program, { cause });
    }
  }
}
