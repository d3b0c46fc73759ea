// What went through VFs, as their PF's driver counts (IFLA_VF_STATS).

import { NetlinkError } from "../errors.ts";
import { decodeAttributes, findAttribute, indexAttributes } from "./codec.ts";
import { getLinkRequest, IFLA, ifinfomsgBytes, RTEXT_FILTER_VF } from "./link.ts";
import type { NetlinkRequest } from "./message.ts";
import type { LinkRef, TrafficCounters } from "./netlink.ts";
import { decodeU32, decodeU64 } from "./values.ts";
import { IFLA_VF, IFLA_VF_INFO } from "./vf.ts";

/** Attributes inside IFLA_VF_STATS. Source: include/uapi/linux/if_link.h. */
const vfStats: Readonly<Record<keyof TrafficCounters, number>> = {
  rxPackets: 0,
  txPackets: 1,
  rxBytes: 2,
  txBytes: 3,
  rxDropped: 7,
  txDropped: 8,
};

/** Asks for a PF with its VFs and their statistics. */
export function listVfCountersRequest(pf: LinkRef): NetlinkRequest {
  return getLinkRequest(pf, RTEXT_FILTER_VF);
}

/**
 * The counters in the body of RTM_NEWLINK by VF number; none when the link has no list. `undefined` when the list is not
 * whole: its length has 16 bits, and kernels before 7.1 let it start again at 0, in the middle of a VF.
 */
export function decodeVfCounters(body: Uint8Array): ReadonlyMap<number, TrafficCounters> | undefined {
  const attributes = body.subarray(ifinfomsgBytes);
  const numVfs = findAttribute(attributes, IFLA.NUM_VF);
  const list = numVfs && findAttribute(attributes, IFLA.VFINFO_LIST);
  if (list === undefined) return new Map();
  const vfs = decodeWhole(list);
  return vfs.size === decodeU32(numVfs ?? list) ? vfs : undefined;
}

function decodeWhole(list: Uint8Array): ReadonlyMap<number, TrafficCounters> {
  try {
    const vfs = decodeAttributes(list).filter(({ type }) => type === IFLA_VF_INFO);
    return new Map(vfs.map(({ value }) => decodeVf(value)).filter((vf) => vf !== undefined));
  } catch (error) {
    if (error instanceof NetlinkError) return new Map();
    throw error;
  }
}

function decodeVf(bytes: Uint8Array): readonly [number, TrafficCounters] | undefined {
  const attributes = indexAttributes(bytes);
  const [mac, stats] = [attributes.get(IFLA_VF.MAC), attributes.get(IFLA_VF.STATS)];
  if (mac === undefined || stats === undefined) return undefined;
  const values = indexAttributes(stats);
  const read = (name: keyof TrafficCounters): number => {
    const value = values.get(vfStats[name]);
    return value === undefined ? 0 : decodeU64(value);
  };
  return [
    decodeU32(mac),
    {
      rxBytes: read("rxBytes"),
      txBytes: read("txBytes"),
      rxPackets: read("rxPackets"),
      txPackets: read("txPackets"),
      rxDropped: read("rxDropped"),
      txDropped: read("txDropped"),
    },
  ];
}
