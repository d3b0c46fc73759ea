// A second copy of the record of a VF without a netdev: of such a VF no namespace tells who has it, nor the kernel which driver it had.

import type { Host } from "../host/host.ts";
import type { Attachment } from "./attachment.ts";
import { formatAttachment } from "./attachment-format.ts";
import type { PciAddress } from "./pci-address.ts";

type CopyHost = Pick<Host, "files" | "paths">;

/** Keeps the record as it is before the VF's first change. Gone after a restart of the node, as the VF is then another one. */
export function writeUserspaceCopy(host: CopyHost, record: Attachment): void {
  host.files.writeAtomic(userspaceCopyPath(host, record.device.address), formatAttachment(record));
}

/** Forgets it, before the record itself is forgotten. */
export function removeUserspaceCopy(host: CopyHost, address: PciAddress): void {
  host.files.remove(userspaceCopyPath(host, address));
}

/** Where it is, whether or not there is one. */
export function userspaceCopyPath({ paths }: Pick<Host, "paths">, address: PciAddress): string {
  return `${paths.userspaceCopies}/${address}.json`;
}
