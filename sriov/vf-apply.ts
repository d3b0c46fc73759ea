// Carries a plan of PF-side settings out, one message at a time, each read back; what was done is undone when one fails.

import { NetlinkError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Netlink, VfChange, VfInfo } from "../host/netlink/netlink.ts";
import type { PciAddress } from "./pci-address.ts";
import { RateRefusedError, VfMissingError, VfReadBackError, VfStepError } from "./vf-errors.ts";
import { describeVfChange, hasVfChange, toVfSide, type VfStep } from "./vf-settings.ts";

/** A VF as its PF knows it. `netlink` is a handle in the namespace of the PF's netdev. */
export interface VfOnPf {
  readonly netlink: Pick<Netlink, "getLink" | "listVfs" | "getVf" | "setVf">;
  readonly pf: PciAddress;
  readonly pfName: string;
  readonly pfIndex: number;
  readonly vf: number;
}

/** A VF at its PF, and what that reported of it. */
export interface PfSide {
  readonly target: VfOnPf;
  readonly info: VfInfo;
}

/** How long a driver may answer EBUSY or EAGAIN to one message. */
const busyMs = 3_000;

/**
 * Carries `steps` out under the PF's lock, reads each back, and undoes the ones done when one fails. Drivers take no
 * concurrent VF configuration on one PF. `check` is called under the lock, before the first step, and throws where there must be
 * none. Throws ERR_VF_STEP naming step, expected and got, as RateRefusedError where it is for want of a link; ERR_LOCK_TIMEOUT; what `check` throws.
 */
export async function applyVf(
  host: Pick<Host, "locks" | "clock">,
  target: VfOnPf,
  steps: readonly VfStep[],
  check?: () => void,
): Promise<void> {
  if (steps.length === 0) return;
  using _lock = await host.locks.acquire(target.pf);
  check?.();
  const done: VfStep[] = [];
  for (const step of steps) {
    try {
      await setVf(host, target, step.change);
      done.push(step);
      checkVf(target, step.change);
    } catch (cause) {
      const problems = await undo(host, target, done);
      const [on, expected] = [`${target.pfName} vf ${target.vf}`, describeVfChange(step.change)];
      if (!isRateWithoutLink(target, step.change, cause))
        throw new VfStepError(on, expected, problems, { cause });
      const got = describeVfChange(step.undo);
      throw new RateRefusedError(on, { expected, got }, problems, { cause });
    }
  }
}

/** What the PF reports of the VF now. Throws ERR_VF_MISSING when it reports no such VF. */
export function readVfInfo(target: VfOnPf): VfInfo {
  const info = target.netlink.getVf({ index: target.pfIndex }, target.vf)?.info;
  if (info === undefined) throw new VfMissingError(`${target.pfName} reports no VF ${target.vf}`);
  return info;
}

function checkVf(target: VfOnPf, change: VfChange): void {
  const info = readVfInfo(target);
  if (hasVfChange(info, change)) return;
  const on = `${target.pfName} vf ${target.vf}`;
  throw new VfReadBackError(on, describeVfChange(change), JSON.stringify(toVfSide(info)));
}

async function setVf(host: Pick<Host, "clock">, target: VfOnPf, change: VfChange): Promise<void> {
  const endMs = host.clock.monotonicMs() + busyMs;
  for (let pauseMs = 5; ; pauseMs *= 2) {
    try {
      target.netlink.setVf(target.pfIndex, target.vf, change);
      return;
    } catch (error) {
      if (!isBusy(error) || host.clock.monotonicMs() + pauseMs > endMs) throw error;
      await host.clock.sleep(pauseMs);
    }
  }
}

async function undo(
  host: Pick<Host, "clock">,
  target: VfOnPf,
  done: readonly VfStep[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const step of done.toReversed()) {
    try {
      await setVf(host, target, step.undo);
    } catch (error) {
      problems.push(`${describeVfChange(step.undo)} could not be put back: ${String(error)}`);
    }
  }
  return problems;
}

// Source: drivers/net/ethernet/intel, igb_ndo_set_vf_bw and ixgbe_ndo_set_vf_bw: any rate is EINVAL then, also none.
function isRateWithoutLink({ netlink, pfIndex }: VfOnPf, change: VfChange, error: unknown): boolean {
  if (change.set !== "rate" || !(error instanceof NetlinkError) || error.errno !== "EINVAL") return false;
  return netlink.getLink({ index: pfIndex })?.hasCarrier === false;
}

function isBusy(error: unknown): boolean {
  return error instanceof NetlinkError && (error.errno === "EBUSY" || error.errno === "EAGAIN");
}
