// The guest agent's lines: what one side writes the other reads, and half lines are nobody's.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatAgentAnswer,
  formatAgentRequest,
  parseAgentAnswer,
  parseAgentRequest,
} from "../../../lab/node/agent-line.ts";

test("a request is id, time-out and script in base64", () => {
  expect(formatAgentRequest({ id: "7", timeoutMs: 500, script: "echo é" })).toBe("7 500 ZWNobyDDqQ==");
});

test("an answer without output has dashes, so that it always has four fields", () => {
  expect(formatAgentAnswer({ id: "7", exitCode: 3, stdout: "", stderr: "no" })).toBe("7 3 - bm8=");
});

test("any request and any answer come back as they were", () => {
  const text = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(fc.uuid(), fc.nat(), text, text, (id, number, first, second) => {
      const request = { id, timeoutMs: number, script: first };
      expect(parseAgentRequest(formatAgentRequest(request))).toEqual(request);
      const answer = { id, exitCode: number, stdout: first, stderr: second };
      expect(parseAgentAnswer(formatAgentAnswer(answer))).toEqual(answer);
    }),
  );
});

test.each(["", "abc", "7 0", "7 0 LQ==", "7 x - -", "7 0 - - -", "wLQ==7 0  -"])(
  "%j is no answer",
  (line) => {
    expect(parseAgentAnswer(line)).toBeUndefined();
  },
);

test.each(["", "7", "7 ZWNobw==", "7 soon ZWNobw==", "7 1 ZWNobw== more"])("%j is no request", (line) => {
  expect(parseAgentRequest(line)).toBeUndefined();
});
