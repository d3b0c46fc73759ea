// How many queues a PF had before its VFs were made: some cards take queues of the PF for them, and nothing tells of it afterwards.

import * as v from "valibot";

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Channels } from "../host/netlink/ethtool.ts";
import type { PciAddress } from "./pci-address.ts";
import { firstFormat } from "./state-file.ts";

type NoteHost = Pick<Host, "files" | "paths" | "openEthtool">;

const note = v.pipe(v.string(), v.parseJson(), v.object({ format: firstFormat, queues: v.number() }));

/** Notes it for this boot, as VFs are; the PF's interface has the index `link`. What cannot be read or written is not noted: nothing depends on it. */
export function notePfQueues(host: NoteHost, pf: PciAddress, link: number): void {
  try {
    const queues = readQueues(host, link);
    if (queues === undefined) return;
    host.files.writeAtomic(notePath(host, pf), `${JSON.stringify({ format: "1.0", queues })}\n`);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

/** What was noted when VFs were last made here; `undefined` when they were made by others, or the note cannot be read as one. */
export function readNotedQueues(host: Pick<Host, "files" | "paths">, pf: PciAddress): number | undefined {
  const parsed = v.safeParse(note, host.files.readText(notePath(host, pf)));
  return parsed.success ? parsed.output.queues : undefined;
}

/** Queues that receive on the link of that index; `undefined` where the driver does not tell. */
export function readQueues(host: Pick<Host, "openEthtool">, link: number): number | undefined {
  using ethtool = host.openEthtool();
  const channels: Channels | undefined = ethtool.getChannels(link);
  return channels && (channels.combined?.value ?? 0) + (channels.rx?.value ?? 0);
}

function notePath({ paths }: Pick<Host, "paths">, pf: PciAddress): string {
  return `${paths.pfNotes}/${pf}.json`;
}
