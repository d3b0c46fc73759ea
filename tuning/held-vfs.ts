// The VFs that pods have, as the attachment records tell.

import type { Host } from "../host/host.ts";
import { type Attachment, isOfThisBoot } from "../sriov/attachment.ts";
import { readAttachments } from "../sriov/attachment-store.ts";
import { createTunableVfReader, type TunableVf } from "../sriov/inventory.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { plainParsers } from "./record-parsers.ts";
import { describeProblem, type Problem } from "./problem.ts";

type Eyes = Pick<Host, "files" | "paths" | "clock">;

/** `unclear`: VFs of records that can't be read or judged, for each a problem. */
export interface HeldVfs {
  readonly unclear: ReadonlySet<PciAddress>;
  readonly problems: readonly Problem[];
}

/** Calls `visit` for each record that is about the VF at its address; a record whose VF can't be read, or at which `visit` throws, is unclear. */
export function visitHeldVfs(
  host: Eyes,
  visit: (record: Attachment, vf: TunableVf) => void,
  { parseAttachment } = plainParsers,
): HeldVfs {
  const { records, unreadable } = readAttachments(host, parseAttachment);
  const unclear = new Set(unreadable.map(({ address }) => address));
  const problems = unreadable.map(({ address, error }) => describeProblem(address, "record", error));
  const readVf = createTunableVfReader(host);
  for (const record of records) {
    const { address } = record.device;
    try {
      const vf = readVf(address);
      if (vf !== undefined && holdsVf(host, record, vf)) visit(record, vf);
    } catch (error) {
      problems.push(describeProblem(address, "device", error));
      unclear.add(address);
    }
  }
  return { unclear, problems };
}

/** Whether `record` is about this very VF: not one of an earlier boot, nor an earlier VF at the same address. */
export function holdsVf(host: Pick<Host, "clock">, record: Attachment, vf: TunableVf): boolean {
  return isOfThisBoot(record, host.clock.bootId()) && record.device.inode === String(vf.inode);
}
