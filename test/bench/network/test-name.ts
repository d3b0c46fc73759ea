// The tests by name: netperf's, where each process waits for its answer, and sockperf's at a rate that does not wait.

export const netperfTests = ["TCP_RR", "TCP_CRR", "UDP_RR", "STREAM"] as const;
export type NetperfTest = (typeof netperfTests)[number];
/** `UNDER_LOAD_5000`: 5,000 UDP messages a second to each namespace, whether they are answered or not. */
export type FixedRateTest = `UNDER_LOAD_${number}`;
export type TestName = NetperfTest | FixedRateTest;

/** What `--help` and errors say that there is. */
export const testForms: readonly string[] = [...netperfTests, "UNDER_LOAD_N"];

export function isTestName(name: string): name is TestName {
  return netperfTests.some((known) => known === name) || /^UNDER_LOAD_[1-9]\d{0,6}$/.test(name);
}

export function isFixedRate(test: TestName): test is FixedRateTest {
  return test.startsWith("UNDER_LOAD_");
}

/** Messages a second to each namespace. */
export function offeredRate(test: FixedRateTest): number {
  return Number(test.slice("UNDER_LOAD_".length));
}

/** What `rate` counts. */
export function unitOf(test: TestName): "transactions/s" | "Mbit/s" | "messages/s" {
  if (isFixedRate(test)) return "messages/s";
  return test === "STREAM" ? "Mbit/s" : "transactions/s";
}
