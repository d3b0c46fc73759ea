// Waiting with a deadline.
import { expect, test } from "vitest";
import { WaitTimeoutError, waitUntil } from "../../lab/wait-until.ts";

test("the value comes as soon as the probe stops throwing", async () => {
  let looks = 0;
  const probe = (): number => {
    looks += 1;
    if (looks < 3) throw new Error("not yet");
    return looks;
  };
  expect(await waitUntil("the third look", probe, { timeoutMs: 5000, intervalMs: 1 })).toBe(3);
});

test("the deadline's error says what was waited for and what was seen last", async () => {
  const cause = new Error("pod is Pending");
  const failure = waitUntil("pod a", () => Promise.reject(cause), { timeoutMs: 10, intervalMs: 5 });
  await expect(failure).rejects.toThrow(
    new WaitTimeoutError("pod a: not within 10 ms, last seen: pod is Pending", { cause }),
  );
});

test("an aborted wait ends with the reason of the abort", async () => {
  const failure = waitUntil("never", () => Promise.reject(new Error("no")), {
    timeoutMs: 60_000,
    intervalMs: 1,
    signal: AbortSignal.timeout(20),
  });
  await expect(failure).rejects.toThrow(/timed out|timeout/i);
});
