// The kernel's answer about a PF with its VFs and their statistics, as igb's list is built, with counters of one's own.

import { type Attribute, concatBytes, encodeAttributes } from "../../host/netlink/codec.ts";
import { encodeLinkBody } from "../../host/netlink/link.ts";
import type { TrafficCounters } from "../../host/netlink/netlink.ts";
import { encodeString, encodeU32, encodeU32s } from "../../host/netlink/values.ts";

/** The body of RTM_NEWLINK about a PF with `count` VFs. */
export function countersBody(
  count: number,
  countersOf: (vf: number) => TrafficCounters,
  name = "ens1f0",
): Uint8Array {
  return encodeLinkBody(2, [
    { type: 3, value: encodeString(name) },
    { type: 21, value: encodeU32(count) },
    { type: 22, value: vfInfoList(count, countersOf) },
  ]);
}

/** The value of IFLA_VFINFO_LIST: 296 bytes a VF. */
export function vfInfoList(count: number, countersOf: (vf: number) => TrafficCounters): Uint8Array {
  return encodeAttributes(
    Array.from({ length: count }, (_, vf) => ({ type: 1, value: vfInfo(vf, countersOf(vf)) })),
  );
}

function vfInfo(vf: number, counters: TrafficCounters): readonly Attribute[] {
  const { rxPackets, txPackets, rxBytes, txBytes, rxDropped, txDropped } = counters;
  const stats = [rxPackets, txPackets, rxBytes, txBytes, 0, 0, rxDropped, txDropped];
  const types = [0, 1, 2, 3, 4, 5, 7, 8];
  return [
    { type: 1, value: concatBytes([encodeU32s(vf), new Uint8Array(32)]) },
    { type: 13, value: new Uint8Array(32) },
    { type: 2, value: encodeU32s(vf, 0, 0) },
    { type: 6, value: encodeU32s(vf, 0, 0) },
    ...[3, 4, 5, 7, 9].map((type) => ({ type, value: encodeU32s(vf, 0) })),
    { type: 12, value: [{ type: 1, value: encodeU32s(vf, 0, 0, 0x81) }] },
    { type: 8, value: stats.map((value, at) => ({ type: types[at] ?? 0, value: encodeU64(value) })) },
  ];
}

function encodeU64(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}
