// The name of a VF on the host that is another link's when the VF comes home: the VF gets it back when it is free.

import * as v from "valibot";

import { HostError, NetlinkError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";
import type { Attachment } from "./attachment.ts";
import { type PciAddress, isPciAddress } from "./pci-address.ts";
import { firstFormat } from "./state-file.ts";
import { chooseOwnName, isOwnName } from "./vf-move.ts";

type NoteHost = Pick<Host, "files" | "paths">;
/** A VF, and how to tell it from another one at the same address. */
type Device = Pick<Attachment["device"], "address" | "inode">;

const suffix = ".json";
// The kernel's own rule for names (net/core/dev.c, dev_valid_name), and none that it takes for a pattern.
const name = v.pipe(v.string(), v.maxBytes(15), v.regex(/^(?!\.{1,2}$)[^\s/:%\0]+$/));
const note = v.pipe(v.string(), v.parseJson(), v.object({ format: firstFormat, inode: v.string(), name }));

/**
 * Gives the VF, which is on the host and down, its name there. One that another link has by now is noted; the VF then has one that
 * no pod chose. `home` is the host's netlink. Throws NetlinkError, ERR_VF_MISSING.
 */
export function restoreHomeName(
  host: NoteHost,
  home: Netlink,
  link: Link,
  device: Device,
  name: string,
): void {
  if (link.name === name || renameUnlessTaken(home, link.index, name)) {
    forgetHomeName(host, device.address);
    return;
  }
  writeNote(host, device, name);
  if (isOwnName(link.name, device.address)) return;
  home.setLink(link.index, { set: "name", value: chooseOwnName(home, home, link, device.address) });
}

/** The name that this very VF shall have and could not get yet; `undefined` where there is none, or the note is no such thing. */
export function readHomeName(host: NoteHost, device: Device): string | undefined {
  for (const path of notePaths(host, device.address)) {
    const parsed = v.safeParse(note, host.files.readText(path));
    if (parsed.success && parsed.output.inode === device.inode) return parsed.output.name;
  }
  return undefined;
}

/** As `readHomeName`, of the VF's `link` on the host; `undefined`, too, where somebody gave it another name since. */
export function findHomeName(host: NoteHost, device: Device, link: Link): string | undefined {
  const name = readHomeName(host, device);
  return link.name === name || isOwnName(link.name, device.address) ? name : undefined;
}

/** VFs at whose addresses a name is noted. */
export function listHomeNames({ files, paths }: NoteHost): readonly PciAddress[] {
  const names = foldersOf(paths).flatMap((folder) => files.list(folder) ?? []);
  return [...new Set(names.map((name) => name.slice(0, -suffix.length)).filter(isPciAddress))];
}

// The VF has it again.
function forgetHomeName(host: NoteHost, address: PciAddress): void {
  for (const path of notePaths(host, address)) host.files.remove(path);
}

// Its own altname can be the name too, and that is taken away: udev gives it to a device that comes back under another name, at
// any moment until it has seen that device.
function renameUnlessTaken(home: Netlink, index: number, name: string): boolean {
  for (let tries = 3; tries > 0; tries -= 1) {
    try {
      home.setLink(index, { set: "name", value: name });
      return true;
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.errno !== "EEXIST") throw error;
      if (!home.getLink({ index })?.altNames.includes(name)) return false;
      home.removeAltName(index, name);
    }
  }
  return false;
}

// Where there is room. A name is no reason to keep a pod from ending.
function writeNote(host: NoteHost, { address, inode }: Device, name: string): void {
  for (const path of notePaths(host, address)) {
    try {
      host.files.writeAtomic(path, `${JSON.stringify({ format: "1.0", inode, name })}\n`);
      return;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
  }
}

function notePaths({ paths }: Pick<Host, "paths">, address: PciAddress): readonly string[] {
  return foldersOf(paths).map((folder) => `${folder}/${address}${suffix}`);
}

// A note is of this boot alone, so that it is on the disk only where it has to.
function foldersOf({ homeNames, homeNamesOnDisk }: Host["paths"]): readonly string[] {
  return [homeNames, homeNamesOnDisk];
}
