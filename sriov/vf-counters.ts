// What went through each VF by the word of its PF, and whether that word can be trusted.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Netlink, TrafficCounters } from "../host/netlink/netlink.ts";
import type { PhysicalFunction } from "./inventory.ts";
import type { PciAddress } from "./pci-address.ts";

/** Where the counters of a driver's VFs are right: `both` sides, or only in the `pod`, because the PF reports 0 for every VF. */
export type CounterSide = "both" | "pod";

/**
 * By the driver of the PF. The PF's side counts all that passes the VF, also for programs that go around the kernel; the pod's
 * side what its network driver saw. Source: Linux 7.1, drivers that have `ndo_get_vf_stats`; igb was tried.
 */
export const counterSides: Readonly<Record<string, CounterSide>> = {
  LiquidIO: "both",
  bnxt_en: "pod",
  fm10k: "both",
  i40e: "both",
  ice: "both",
  igb: "pod",
  ionic: "both",
  ixgbe: "both",
  mlx4_core: "both",
  mlx5_core: "both",
};

/** Why the counters of a PF's VFs are not told, as metrics name it and in words. */
export interface CountersAbsence {
  readonly code: "driver" | "too-many-vfs" | "no-netdev" | "failed";
  readonly reason: string;
}

/** The counters by VF index, without those of VFs that are all 0; or why there are none. */
export type PfCounters =
  | { readonly counters: ReadonlyMap<number, TrafficCounters> }
  | { readonly absent: CountersAbsence };

type CountedPf = Pick<PhysicalFunction, "address" | "driver" | "netdevs" | "numVfs">;

/**
 * What each of `pfs` that has VFs says of them, read in this network namespace, which must be the node's. A VF whose counters
 * are all 0 is left out: the kernel says 0 as well for a VF that is being reset, and for a driver that does not count.
 */
export function readVfCounters(
  host: Pick<Host, "openNetlink">,
  pfs: Iterable<CountedPf>,
): ReadonlyMap<PciAddress, PfCounters> {
  const counted = [...pfs].filter(({ numVfs }) => numVfs > 0);
  if (counted.length === 0) return new Map();
  try {
    using netlink = host.openNetlink();
    return new Map(counted.map((pf) => [pf.address, readPfCounters(netlink, pf)]));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return new Map(counted.map(({ address }) => [address, absent("failed", error.message)]));
  }
}

function readPfCounters(netlink: Pick<Netlink, "listVfCounters">, pf: CountedPf): PfCounters {
  const { driver = "", numVfs } = pf;
  const [name] = pf.netdevs;
  if (counterSides[driver] === "pod")
    return absent("driver", `the driver ${driver} does not count for its VFs: take the counters in the pods`);
  if (name === undefined) return absent("no-netdev", "the PF has no interface on the node");
  try {
    const counters = netlink.listVfCounters({ name });
    if (counters !== undefined)
      return { counters: new Map([...counters].filter(([, one]) => isCounted(one))) };
    return absent(
      "too-many-vfs",
      `the counters of ${numVfs} VFs of ${name} do not fit into one answer of the kernel: take those in the pods`,
    );
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return absent("failed", error.message);
  }
}

function isCounted(counters: TrafficCounters): boolean {
  return Object.values(counters).some((value) => value > 0);
}

function absent(code: CountersAbsence["code"], reason: string): PfCounters {
  return { absent: { code, reason } };
}
