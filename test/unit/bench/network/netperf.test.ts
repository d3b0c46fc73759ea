// Tests test/bench/network/netperf.ts.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { netperfArguments, parseNetperf } from "../../../bench/network/netperf.ts";

const printed = `NETPERF_INTERIM_RESULT[0]=39107.14
NETPERF_UNITS[0]=Trans/s
NETPERF_INTERVAL[0]=0.500
NETPERF_ENDING[0]=1795727266.375
NETPERF_INTERIM_RESULT[1]=67026.53
NETPERF_UNITS[1]=Trans/s
NETPERF_INTERVAL[1]=0.501
NETPERF_ENDING[1]=1795727266.876
THROUGHPUT=54549.41
MEAN_LATENCY=18.29
P50_LATENCY=14
P90_LATENCY=17
P99_LATENCY=30
`;

test("interim results with the time that each ended, and the latencies", () => {
  expect(parseNetperf(printed)).toEqual({
    interim: [
      { endMs: 1_795_727_266_375, seconds: 0.5, rate: 39_107.14 },
      { endMs: 1_795_727_266_876, seconds: 0.501, rate: 67_026.53 },
    ],
    latency: { meanUs: 18.29, p50Us: 14, p90Us: 17, p99Us: 30 },
  });
});

test("a killed process has no latencies, an error nothing at all", () => {
  const killed = parseNetperf(printed.slice(0, printed.indexOf("THROUGHPUT")));
  expect(killed.interim).toHaveLength(2);
  expect(killed.latency).toBeUndefined();
  expect(parseNetperf("establish control: are you sure there is a netserver?")).toEqual({
    interim: [],
    latency: undefined,
  });
});

test("any text is taken", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseNetperf(text).interim).toEqual([]);
    }),
  );
});

test("64 bytes each way, interim results each half second", () => {
  const where = { address: "198.18.0.1", port: 1, seconds: 9 };
  expect(netperfArguments("TCP_CRR", where).join(" ")).toBe(
    "-H 198.18.0.1,4 -p 1 -t TCP_CRR -l 9 -D 0.5 -j -P 0 -- -r 64,64 -k THROUGHPUT,MEAN_LATENCY,P50_LATENCY,P90_LATENCY,P99_LATENCY",
  );
  expect(netperfArguments("STREAM", where).join(" ")).toContain("-t TCP_STREAM");
});
