// The records on disk: one file per VF in use, written whole or not at all. One that is lost while its second copy is there is unreadable.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { formatAttachment, parseAttachment } from "./attachment-format.ts";
import type { Attachment } from "./attachment.ts";
import { RecordCorruptError, SriovError } from "./errors.ts";
import { comparePciAddress, isPciAddress, type PciAddress } from "./pci-address.ts";
import { userspaceCopyPath } from "./userspace-copy.ts";

/** All records, in PCI order, and the files that are none: `path` is the second copy's where that alone is left. */
export interface Attachments {
  readonly records: readonly Attachment[];
  readonly unreadable: readonly {
    readonly address: PciAddress;
    readonly path: string;
    readonly error: SriovError | HostError;
  }[];
}

type Store = Pick<Host, "files" | "paths">;

const suffix = ".json";

/** Every record of the node; what can't be read is listed beside, never thrown: one bad file must not hide the others. */
export function readAttachments(host: Store, parse = parseAttachment): Attachments {
  return readAll(host, () => false, parse);
}

/** As `readAttachments`, without what is plainly another container's: that is told without the whole check of its record. */
export function readAttachmentsOf(host: Store, containerId: string): Attachments {
  return readAll(host, (json) => isOfOther(json, containerId));
}

/** The records whose files have `text` in them, which is told without the whole check of the others. */
export function readAttachmentsWith(host: Store, text: string): readonly Attachment[] {
  return readAll(host, (json) => !json.includes(text)).records;
}

function readAll(host: Store, isLeftOut: (json: string) => boolean, parse = parseAttachment): Attachments {
  const records: Attachment[] = [];
  const unreadable: Attachments["unreadable"][number][] = [];
  for (const address of listAttached(host)) {
    let path = attachmentPath(host, address);
    try {
      const file = readFile(host, address);
      if (file === undefined || isLeftOut(file.json)) continue;
      path = file.path;
      records.push(parseFile(file, address, parse));
    } catch (error) {
      if (!(error instanceof SriovError || error instanceof HostError)) throw error;
      unreadable.push({ address, path, error });
    }
  }
  return { records, unreadable };
}

/** VFs that have a record, or had one that is lost, in PCI order, without reading what is in it. */
export function listAttached(host: Store): readonly PciAddress[] {
  const names = [host.paths.attachments, host.paths.userspaceCopies].flatMap(
    (folder) => host.files.list(folder) ?? [],
  );
  return [...new Set(names.map(addressOfFile).filter(isDefined))].toSorted(comparePciAddress);
}

/** The record of one VF; `undefined` when it has none. Throws ERR_RECORD_CORRUPT, also for one that is lost, or ERR_RECORD_FORMAT, naming the file. */
export function readAttachment(host: Store, address: PciAddress): Attachment | undefined {
  const file = readFile(host, address);
  return file === undefined ? undefined : parseFile(file, address);
}

interface RecordFile {
  readonly path: string;
  readonly json: string;
  /** It is the second copy of a record that is lost. */
  readonly isCopy: boolean;
}

// The copy is written after the record and removed before it: both can come between two looks, the copy alone never.
function readFile(host: Store, address: PciAddress): RecordFile | undefined {
  const [path, copyPath] = [attachmentPath(host, address), userspaceCopyPath(host, address)];
  const json = host.files.readText(path);
  const copy = json === undefined ? host.files.readText(copyPath) : undefined;
  const record = copy === undefined ? json : host.files.readText(path);
  if (record !== undefined) return { path, json: record, isCopy: false };
  return copy === undefined ? undefined : { path: copyPath, json: copy, isCopy: true };
}

function parseFile(
  { path, json, isCopy }: RecordFile,
  address: PciAddress,
  parse = parseAttachment,
): Attachment {
  if (isCopy) throw new RecordCorruptError(path, "the record that it is a copy of is lost");
  const record = parse(json, path);
  if (record.device.address === address) return record;
  throw new RecordCorruptError(path, `it is about ${record.device.address}, expected ${address}`);
}

function isOfOther(json: string, containerId: string): boolean {
  // Mostly it is told without parsing; another writer may have escaped letters of it.
  if (json.includes(containerId)) return false;
  try {
    const record = JSON.parse(json) as { readonly owner?: { readonly containerId?: unknown } } | null;
    const owner = record?.owner?.containerId;
    return typeof owner === "string" && owner !== containerId;
  } catch {
    return false;
  }
}

/** Writes the record under its VF's address, whole or not at all (temp file and rename, no fsync). */
export function writeAttachment(host: Store, record: Attachment): void {
  host.files.writeAtomic(attachmentPath(host, record.device.address), formatAttachment(record));
}

/** Forgets the VF's record; false when there was none. */
export function removeAttachment(host: Store, address: PciAddress): boolean {
  return host.files.remove(attachmentPath(host, address));
}

/** Moves a record aside, whatever is in it, with the reason beside it; its new path, or `undefined` when there is none. */
export function quarantineAttachment(
  host: Store & Pick<Host, "clock">,
  address: PciAddress,
  reason: string,
): string | undefined {
  const from = attachmentPath(host, address);
  if (host.files.stat(from, { noFollow: true }) === undefined) return undefined;
  const to = `${host.paths.quarantine}/${address}.${host.clock.nowMs()}${suffix}`;
  host.files.makeFolder(host.paths.quarantine);
  host.files.rename(from, to);
  noteReason(host, to, reason);
  return to;
}

// On a full disk the record is out of the way all the same, and that is what matters.
function noteReason(host: Store, path: string, reason: string): void {
  try {
    host.files.writeAtomic(`${path}.reason`, `${reason}\n`);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

/** Calls `onChange` with the VF whose record came, went or changed, until disposed. */
export function watchAttachments(host: Store, onChange: (address: PciAddress) => void): Disposable {
  host.files.makeFolder(host.paths.attachments);
  return host.files.watch(host.paths.attachments, ({ name }) => {
    const address = addressOfFile(name);
    if (address !== undefined) onChange(address);
  });
}

/** Where the VF's record is, whether or not there is one. */
export function attachmentPath(host: Pick<Host, "paths">, address: PciAddress): string {
  return `${host.paths.attachments}/${address}${suffix}`;
}

/** The VF whose record the file is, by its name; `undefined` for others: temporary files of a write in progress. */
export function addressOfFile(name: string): PciAddress | undefined {
  const stem = name.endsWith(suffix) ? name.slice(0, -suffix.length) : "";
  return isPciAddress(stem) ? stem : undefined;
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}
