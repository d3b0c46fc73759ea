// What pods from before a reboot still have on disk: records and the leases behind them. Their namespaces are gone, their VFs new.

import { HostError, LockTimeoutError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { isOfThisBoot } from "./attachment.ts";
import { RecordCorruptError, SriovError } from "./errors.ts";
import type { PciAddress } from "./pci-address.ts";
import { noteReleasedThisBoot } from "./released-boot.ts";
import { applyRepair, planRepair, type RepairRule, type RepairStep } from "./repair.ts";

/** When no further record is begun: an IPAM plugin that hangs takes a minute for each, and runtimes end an ADD after four. */
const lateMs = 30_000;

/**
 * Frees the leases and forgets the records of earlier boots, moves aside records that a power cut emptied, and notes that this
 * boot is done. Each VF under its lock; one that is locked is left to its holder, who looks at the record too. Never throws for
 * one of them: `problems` is what could not be released, and `left` the VFs for whose records there was no time, which stay as they
 * are for the VF's next owner, GC and repair; `setAside` the records that could not be read.
 */
export async function releaseEarlierBoots(host: Host): Promise<{
  readonly problems: readonly Error[];
  readonly left: readonly PciAddress[];
  readonly setAside: readonly RepairStep[];
}> {
  const rule = ofEarlierBoots(host);
  const steps = planRepair(host, rule);
  const endMs = host.clock.monotonicMs() + lateMs;
  const isLate = (): boolean => host.clock.monotonicMs() >= endMs;
  const outcomes = await applyRepair(host, rule, steps, { lockTimeoutMs: 0, isLate });
  const left = steps.slice(outcomes.length).map(({ address }) => address);
  const problems: Error[] = outcomes
    .map(({ problem }) => problem)
    .filter((problem) => problem !== undefined)
    .filter((problem) => !(problem instanceof LockTimeoutError));
  try {
    noteReleasedThisBoot(host);
  } catch (error) {
    if (!(error instanceof SriovError || error instanceof HostError)) throw error;
    problems.push(error);
  }
  const setAside = outcomes.filter(
    ({ action, problem }) => problem === undefined && (action === "setAside" || action === "reset"),
  );
  return { problems, left, setAside };
}

function ofEarlierBoots(host: Pick<Host, "clock">): RepairRule {
  return {
    judge: (record) =>
      isOfThisBoot(record, host.clock.bootId())
        ? undefined
        : { action: "release", reason: "the node was started again since" },
    judgeUnreadable: ({ error, salvaged: { bootId } }) => {
      if (!(error instanceof RecordCorruptError)) return undefined;
      // One that still tells of which boot it is may tell of a lease too.
      if (bootId === undefined) return { action: "setAside", reason: error.message };
      return bootId === host.clock.bootId() ? undefined : { action: "reset", reason: error.message };
    },
  };
}
