// Tests test/bench/network/sockperf.ts.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { parseSockperf, sockperfArguments } from "../../../bench/network/sockperf.ts";

const colour = "\u001b[2;35m";
const printed = `sockperf: Test ended
sockperf: [Total Run] RunTime=3.000 sec; Warm up time=400 msec; SentMessages=3001; ReceivedMessages=3001
sockperf: [Valid Duration] RunTime=2.500 sec; SentMessages=2501; ReceivedMessages=2500
sockperf: ${colour}====> avg-rtt=352.651 (std-dev=1272.888)\u001b[0m
sockperf: # dropped messages = 1; # duplicated messages = 0; # out-of-order messages = 0
sockperf: ---> <MAX> observation = 42479.458
sockperf: ---> percentile 99.000 = 42479.458
sockperf: ---> percentile 90.000 = 20856.738
sockperf: ---> percentile 75.000 = 5989.381
sockperf: ---> percentile 50.000 =   23.675
`;

test("what was answered in a second, and how long there and back took", () => {
  expect(parseSockperf(printed, 9_000)).toEqual({
    interim: [{ endMs: 9_000, seconds: 3, rate: 1_000 }],
    latency: { meanUs: 352.651, p50Us: 23.675, p90Us: 20_856.738, p99Us: 42_479.458 },
  });
});

test("without an answer, or ended early, there is nothing; any text is taken", () => {
  const nothing = { interim: [], latency: undefined };
  const early = printed.slice(0, printed.indexOf("sockperf: [Valid"));
  expect(parseSockperf(early, 9_000)).toEqual(nothing);
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseSockperf(text, 9_000)).toEqual(nothing);
    }),
  );
});

test("every message has 64 bytes and is answered", () => {
  expect(sockperfArguments(5_000, { address: "198.18.0.1", port: 1, seconds: 9 }).join(" ")).toBe(
    "under-load -i 198.18.0.1 -p 1 -t 9 -m 64 --mps 5000 --reply-every 1 --full-rtt",
  );
});
