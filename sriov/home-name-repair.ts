// VFs whose name was another link's when they came home get it when it is free.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";
import { listAttached } from "./attachment-store.ts";
import { SriovError } from "./errors.ts";
import { findHomeName, listHomeNames, restoreHomeName } from "./home-name.ts";
import { readVfBasics } from "./inventory.ts";
import { comparePciAddress, type PciAddress } from "./pci-address.ts";
import { applySteps, type RepairStep } from "./repair.ts";
import { findHomeLink } from "./vf-locate.ts";
import { isOwnName, parseOwnName } from "./vf-move.ts";

type NameHost = Pick<Host, "files" | "paths" | "locks" | "openNetlink">;

/** A step for each VF that is on the host without its name, in no pod's record, or of which that cannot be read; changes nothing. */
export function planHomeNames(host: Omit<NameHost, "locks">): readonly RepairStep[] {
  using home = host.openNetlink();
  const nameless = home.listLinks().map(({ name }) => parseOwnName(name));
  const addresses = new Set([...listHomeNames(host), ...nameless.filter((address) => address !== undefined)]);
  return [...addresses].toSorted(comparePciAddress).flatMap((address) => planStep(host, home, address) ?? []);
}

// One that cannot be read keeps no other VF from being given back.
function planStep(
  host: Pick<Host, "files" | "paths">,
  home: Netlink,
  address: PciAddress,
): RepairStep | undefined {
  try {
    return planOne(host, home, address)?.step;
  } catch (problem) {
    if (!(problem instanceof SriovError || problem instanceof HostError)) throw problem;
    return { address, holder: "nobody", action: "keep", reason: "its name could not be read", problem };
  }
}

/** Carries out what of `steps` still holds, each under its VF's lock, and returns them as they went; a failure stops none of the others. */
export async function applyHomeNames(
  host: NameHost,
  steps: readonly RepairStep[],
  options: { readonly lockTimeoutMs: number },
): Promise<readonly RepairStep[]> {
  return await applySteps(host, steps, options, async (step) => {
    using home = host.openNetlink();
    const now = planOne(host, home, step.address);
    if (now === undefined)
      return { ...step, action: "keep", reason: "it has its name, or a pod has it, by now" };
    now.apply(home);
    return now.step;
  });
}

interface Planned {
  readonly step: RepairStep;
  readonly apply: (home: Netlink) => void;
}

function planOne(
  host: Pick<Host, "files" | "paths">,
  home: Netlink,
  address: PciAddress,
): Planned | undefined {
  const vf = readVfBasics(host, address);
  if (vf === undefined || listAttached(host).includes(address)) return undefined;
  const device = { address, inode: String(vf.inode) };
  const link = findHomeLink(host, home, address);
  if (link === undefined) return undefined;
  const about = { address, holder: "nobody", problem: undefined };
  const name = findHomeName(host, device, link);
  if (name === undefined) {
    if (!isOwnName(link.name, address)) return undefined;
    return { step: { ...about, ...judgeNameless(link) }, apply: () => {} };
  }
  const holder = home.getLink({ name });
  const isTaken = holder !== undefined && holder.index !== link.index;
  const step = { ...about, ...judge(link, name, isTaken) };
  return {
    step,
    apply: (netlink) => {
      if (step.action === "rename") restoreHomeName(host, netlink, link, device, name);
    },
  };
}

// Its note could not be written, or is spoilt. Another than it had would be no better.
function judgeNameless({ name }: Link): Pick<RepairStep, "action" | "reason"> {
  const reason = `it is called ${name}, and its name before is not known: ip link set ${name} name NAME`;
  return { action: "keep", reason };
}

function judge(link: Link, name: string, isTaken: boolean): Pick<RepairStep, "action" | "reason"> {
  if (isTaken)
    return { action: "keep", reason: `its name ${name} is another link's: it is called ${link.name}` };
  // Whoever uses it knows it by that name; older kernels rename no link that is up (net/core/dev.c, dev_change_name).
  if (link.isUp) return { action: "keep", reason: `it is up as ${link.name}; its name ${name} is free` };
  return { action: "rename", reason: `its name ${name} is free again` };
}
