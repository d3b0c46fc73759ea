// What pods from before a reboot still have on disk: records and the leases behind them. Their namespaces are gone, their VFs new.

import { HostError, LockTimeoutError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { isOfThisBoot } from "./attachment.ts";
import { readAttachments, readOrQuarantine } from "./attachment-store.ts";
import { RecordCorruptError, SriovError } from "./errors.ts";
import type { PciAddress } from "./pci-address.ts";
import { releaseAttachment } from "./release.ts";
import { noteReleasedThisBoot } from "./released-boot.ts";

/**
 * Frees the leases and forgets the records of earlier boots, moves aside records that a power cut emptied, and notes that this
 * boot is done. Each VF under its lock; one that is locked is left to its holder, who looks at the record too. Never throws for
 * one of them: returns what could not be released, which stays as it is for the VF's next owner, GC and repair.
 */
export async function releaseEarlierBoots(host: Host): Promise<readonly Error[]> {
  const { records, unreadable } = readAttachments(host);
  const old = records.filter((record) => !isOfThisBoot(record, host.clock.bootId()));
  const corrupt = unreadable.filter(({ error }) => error instanceof RecordCorruptError);
  const problems: Error[] = [];
  for (const address of [...old.map(({ device }) => device.address), ...corrupt.map((file) => file.address)])
    await releaseIfEarlier(host, address).catch((error: unknown) => problems.push(asKnown(error)));
  try {
    noteReleasedThisBoot(host);
  } catch (error) {
    problems.push(asKnown(error));
  }
  return problems;
}

async function releaseIfEarlier(host: Host, address: PciAddress): Promise<void> {
  using lock = await lockUnlessHeld(host, address);
  if (lock === undefined) return;
  const record = readOrQuarantine(host, address);
  if (record === undefined || isOfThisBoot(record, host.clock.bootId())) return;
  await releaseAttachment(host, record, undefined);
}

async function lockUnlessHeld(host: Host, address: PciAddress): Promise<Disposable | undefined> {
  try {
    return await host.locks.acquire(address, { timeoutMs: 0 });
  } catch (error) {
    if (error instanceof LockTimeoutError) return undefined;
    throw error;
  }
}

function asKnown(error: unknown): Error {
  if (error instanceof SriovError || error instanceof HostError) return error;
  throw error;
}
