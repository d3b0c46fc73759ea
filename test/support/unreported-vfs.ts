// A PF whose driver does not report everything of its VFs.

import type { Host } from "../../host/host.ts";
import type { VfInfo } from "../../host/netlink/netlink.ts";

/** `host`, whose PFs report VFs as `change` leaves it of what they are; `undefined`: none at all, as virtio's. */
export function withReportedVfs(host: Host, change: (info: VfInfo) => VfInfo | undefined): Host {
  const openNetlink: Host["openNetlink"] = (netns) => {
    const netlink = host.openNetlink(netns);
    return {
      ...netlink,
      listVfs: (index) => netlink.listVfs(index).flatMap((info) => change(info) ?? []),
      getVf: (ref, vf) => {
        const found = netlink.getVf(ref, vf);
        const info = found && change(found.info);
        return found && info && { ...found, info };
      },
    };
  };
  return { ...host, openNetlink };
}
