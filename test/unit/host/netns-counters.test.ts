// What the kernel prints of its links, as numbers.

import { expect, test } from "vitest";

import { parseNetDev } from "../../../host/netns-counters.ts";

const header = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;

test("reads the counters of each link by its name", () => {
  const text = `${header}    lo:     120       2    0    0    0     0          0         0      120       2    0    0    0     0       0          0
  net1: 9007199254740991 20    1    3    4     5          6         7      1692      21    8    9   10    11      12         13
a:b: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
`;
  expect(parseNetDev(text)).toEqual(
    new Map([
      ["lo", { rxBytes: 120, rxPackets: 2, rxDropped: 0, txBytes: 120, txPackets: 2, txDropped: 0 }],
      [
        "net1",
        {
          rxBytes: Number.MAX_SAFE_INTEGER,
          rxPackets: 20,
          rxDropped: 3,
          txBytes: 1692,
          txPackets: 21,
          txDropped: 9,
        },
      ],
      ["a:b", { rxBytes: 1, rxPackets: 2, rxDropped: 4, txBytes: 9, txPackets: 10, txDropped: 12 }],
    ]),
  );
});

test("gives none for what is no such table", () => {
  for (const text of ["", header, "net1: 1 2 3\n", "net1: 1 2 x 4 5 6 7 8 9 10 11 12 13 14 15 16\n"])
    expect(parseNetDev(text)).toEqual(new Map());
});
