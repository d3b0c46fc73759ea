// The records on disk: one file per VF in use, written whole or not at all.

import type { Host } from "../host/host.ts";
import type { Attachment } from "./attachment.ts";
import type { SriovError } from "./errors.ts";
import type { PciAddress } from "./pci-address.ts";

/** All records, in PCI order, and the files that are none. */
export interface Attachments {
  readonly records: readonly Attachment[];
  readonly unreadable: readonly {
    readonly address: PciAddress;
    readonly path: string;
    readonly error: SriovError;
  }[];
}

type Store = Pick<Host, "files" | "paths">;

export declare function readAttachments(host: Store): Attachments;
/** The record of one VF; `undefined` when it has none. Throws ERR_RECORD_CORRUPT or ERR_RECORD_FORMAT. */
export declare function readAttachment(host: Store, address: PciAddress): Attachment | undefined;
export declare function writeAttachment(host: Store, record: Attachment): void;
/** False when there was none. */
export declare function removeAttachment(host: Store, address: PciAddress): boolean;
/** Moves a record aside, whatever is in it, and returns its new path; `undefined` when there is none. */
export declare function quarantineAttachment(
  host: Store & Pick<Host, "clock">,
  address: PciAddress,
  reason: string,
): string | undefined;
/** Calls `onChange` with the VF whose record came, went or changed. */
export declare function watchAttachments(host: Store, onChange: (address: PciAddress) => void): Disposable;
