// Tests test/bench/network/follow-guest.ts.

import { expect, test } from "vitest";

import { followGuest } from "../../../bench/network/follow-guest.ts";
import { makeBenchResults } from "../../../support/bench-results.ts";

const { machine, measurements } = makeBenchResults(["--rounds", "1", "--variants", "host"]);
const [first, second] = measurements;
const outcome = { machine, measurements, left: [], fellBack: [] };

/** A guest whose program writes one part of its output before each look, and ends with `end` when the last is written. */
function createGuest(parts: readonly string[], end: () => string) {
  let written = "";
  let looks = 0;
  const ended = Promise.withResolvers<string>();
  return {
    run: async () => await ended.promise.then(end),
    exec: async (script: string) => {
      written += parts[looks] ?? "";
      looks += 1;
      if (looks === parts.length) ended.resolve("");
      const from = Number(/tail -n \+(\d+)/.exec(script)?.[1]);
      const stdout = written
        .split("\n")
        .slice(from - 1)
        .join("\n");
      return { exitCode: 0, stdout, stderr: "" };
    },
  };
}

async function follow(parts: readonly string[], end: () => string = () => "") {
  const heard: unknown[] = [];
  const given = await followGuest(createGuest(parts, end), "guest-main", {
    progress: (text) => heard.push(text),
    measured: ({ test }) => heard.push(test),
    signal: new AbortController().signal,
    timeoutMs: 1_000,
    lookEachMs: 1,
  });
  return { heard, given };
}

test("lines are passed on once each, also those that come in parts and after its end", async () => {
  const text = [{ progress: "waiting" }, { measured: first }, { measured: second }, { outcome }]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
  const cut = text.indexOf("TCP_CRR");
  const { heard, given } = await follow(["", text.slice(0, 5), text.slice(5, cut), text.slice(cut)]);
  expect(heard).toEqual(["waiting", "TCP_RR", "TCP_CRR"]);
  expect(given).toEqual(outcome);
});

function fail(): string {
  throw new Error("in the guest, exit code 1");
}

test("what it told before it failed is passed on, and then why it failed", async () => {
  const line = `${JSON.stringify({ outcome })}\n`;
  await expect(follow([line], fail)).rejects.toThrow("in the guest, exit code 1");
  await expect(follow([""])).rejects.toThrow("ended without an outcome");
});
