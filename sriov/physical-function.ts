// Finds the PF behind an interface name.

import { basename, dirname } from "node:path";

import type { Host } from "../host/host.ts";
import type { Netlink } from "../host/netlink/netlink.ts";
import { readPf, type PhysicalFunction } from "./inventory.ts";
import { isPciAddress, type PciAddress } from "./pci-address.ts";

/** The PF whose interface on the host has `name` (or it as an altname); `undefined` when none can have VFs. `home` is the host's netlink. */
export function findPf(
  host: Pick<Host, "files" | "paths">,
  home: Pick<Netlink, "getLink">,
  name: string,
): PhysicalFunction | undefined {
  const link = home.getLink({ name });
  const address = link === undefined ? undefined : addressOf(host, link);
  return address === undefined ? undefined : readPf(host, address);
}

// Kernels before 5.14 do not tell it by netlink, and virtio has a device of its own in between.
function addressOf(
  host: Pick<Host, "files" | "paths">,
  link: { readonly name: string; readonly parentDevice: string | undefined },
): PciAddress | undefined {
  if (link.parentDevice !== undefined && isPciAddress(link.parentDevice)) return link.parentDevice;
  const device = host.files.realPath(`${host.paths.sys}/class/net/${link.name}/device`) ?? "";
  return [basename(device), basename(dirname(device))].find((name) => isPciAddress(name));
}
