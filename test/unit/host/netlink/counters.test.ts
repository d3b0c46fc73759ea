// Counters of VFs as the kernel reports them, in answers built by hand.

import { describe, expect, it } from "vitest";

import { concatBytes, encodeAttributes } from "../../../../host/netlink/codec.ts";
import { decodeVfCounters } from "../../../../host/netlink/counters.ts";
import { encodeLinkBody } from "../../../../host/netlink/link.ts";
import { countersBody, vfInfoList } from "../../../support/vf-counters-answer.ts";

const nothing = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxDropped: 0, txDropped: 0 };

function countersOf(vf: number) {
  return {
    rxBytes: 1000 * vf,
    txBytes: 2000 * vf,
    rxPackets: 10 * vf,
    txPackets: 20 * vf,
    rxDropped: vf,
    txDropped: vf + 1,
  };
}

describe("decodeVfCounters", () => {
  it("reads each VF of a PF", () => {
    expect(decodeVfCounters(countersBody(3, countersOf))).toEqual(
      new Map([
        [0, countersOf(0)],
        [1, countersOf(1)],
        [2, countersOf(2)],
      ]),
    );
  });

  it("reads numbers of more than 32 bits", () => {
    const many = { ...nothing, rxBytes: 2 ** 52 + 1 };
    expect(decodeVfCounters(countersBody(1, () => many))?.get(0)).toEqual(many);
  });

  it("gives none for a link without VFs", () => {
    expect(decodeVfCounters(encodeLinkBody(2, []))).toEqual(new Map());
    expect(decodeVfCounters(countersBody(0, countersOf))).toEqual(new Map());
  });

  it.each([222, 223, 250, 256, 443, 444])("says that the list of %i VFs does not fit", (count) => {
    // As kernels before 7.1 answer: the length keeps 16 bits, and everything behind it is read from within a VF.
    const list = vfInfoList(count, countersOf);
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint16(0, (list.length + 4) & 0xffff, true);
    new DataView(header.buffer).setUint16(2, 22, true);
    const number = encodeAttributes([{ type: 21, value: Uint8Array.of(count & 0xff, count >> 8, 0, 0) }]);
    expect(decodeVfCounters(concatBytes([encodeLinkBody(2), number, header, list]))).toBeUndefined();
  });

  it("reads all of the 221 VFs that fit", () => {
    expect(decodeVfCounters(countersBody(221, countersOf))?.get(220)).toEqual(countersOf(220));
  });
});
