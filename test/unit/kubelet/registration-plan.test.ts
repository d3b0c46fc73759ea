// What is done next to be registered: both ways, every state a kubelet can leave us in.
import { expect, test } from "vitest";

import { backOffMs, planRegistration, type RegistrationState } from "../../../kubelet/registration-plan.ts";

const bound: RegistrationState = {
  way: "plugins_registry",
  boundAtMs: 1_000,
  isSocketInPlace: true,
  openStreams: 0,
  streamEndedAtMs: undefined,
  contactAtMs: undefined,
  failures: 0,
  kubelet: undefined,
  called: undefined,
};
const classic: RegistrationState = { ...bound, way: "device-plugins", kubelet: "7:100" };
const accepted = { kubelet: "7:100", atMs: 2_000, isAccepted: true };
const refused = { kubelet: "7:100", atMs: 2_000, isAccepted: false };

test.each<[string, RegistrationState, number, string]>([
  ["a new socket waits for the kubelet to find it", bound, 1_000, "wait 12000"],
  ["a socket that nobody found is made anew", bound, 13_000, "bind"],
  ["a contact restarts the waiting", { ...bound, contactAtMs: 12_000 }, 13_000, "wait 11000"],
  ["a held stream is left alone", { ...bound, openStreams: 1, contactAtMs: 2_000 }, 99_000, "wait 30000"],
  [
    "a dropped stream may come back by itself",
    { ...bound, contactAtMs: 2_000, streamEndedAtMs: 5_000 },
    5_100,
    "wait 1100",
  ],
  [
    "a dropped stream that does not come back",
    { ...bound, contactAtMs: 2_000, streamEndedAtMs: 5_000 },
    6_200,
    "bind",
  ],
  [
    "a contact after the drop is waited for",
    { ...bound, contactAtMs: 6_100, streamEndedAtMs: 5_000 },
    6_200,
    "wait 11900",
  ],
  [
    "a removed socket is bound anew, stream or not",
    { ...bound, openStreams: 1, isSocketInPlace: false },
    2_000,
    "bind",
  ],
  ["many failures are spaced out", { ...bound, failures: 9 }, 21_000, "wait 10000"],
])("plugins_registry: %s", (_name, state, nowMs, expected) => {
  expect(tell(state, nowMs)).toBe(expected);
});

test.each<[string, RegistrationState, number, string]>([
  ["no kubelet yet", { ...classic, kubelet: undefined }, 1_000, "wait 30000"],
  ["a kubelet is called at once", classic, 1_000, "register"],
  ["a refusal is not repeated at once", { ...classic, called: refused, failures: 1 }, 2_100, "wait 400"],
  ["a refusal is repeated later", { ...classic, called: refused, failures: 1 }, 2_500, "register"],
  [
    "a new kubelet does not inherit the refusal",
    { ...classic, called: refused, failures: 9, kubelet: "8:200" },
    2_001,
    "register",
  ],
  [
    "never a second call on a live connection",
    { ...classic, called: accepted, openStreams: 1 },
    99_000,
    "wait 30000",
  ],
  ["an accepted call has time to become a stream", { ...classic, called: accepted }, 3_000, "wait 11000"],
  ["an accepted call that never became a stream", { ...classic, called: accepted }, 14_000, "bind"],
  [
    "a cancelled stream waits a moment",
    { ...classic, called: accepted, streamEndedAtMs: 9_000 },
    9_500,
    "wait 700",
  ],
  [
    "a cancelled stream is registered anew on a new binding",
    { ...classic, called: accepted, streamEndedAtMs: 9_000 },
    10_200,
    "bind",
  ],
  [
    "a restarted kubelet needs a new binding",
    { ...classic, called: accepted, kubelet: "7:200" },
    2_500,
    "bind",
  ],
  [
    "a new kubelet while the old stream lives",
    { ...classic, called: accepted, openStreams: 1, kubelet: "9:1" },
    2_500,
    "bind",
  ],
  ["the kubelet's start unlinked our socket", { ...classic, isSocketInPlace: false }, 2_500, "bind"],
])("device-plugins: %s", (_name, state, nowMs, expected) => {
  expect(tell(state, nowMs)).toBe(expected);
});

test("the back-off doubles from a quarter of a second to half a minute", () => {
  expect([0, 1, 2, 6, 7, 100].map(backOffMs)).toEqual([250, 500, 1_000, 16_000, 30_000, 30_000]);
});

function tell(state: RegistrationState, nowMs: number): string {
  const step = planRegistration(state, nowMs);
  return step.step === "wait" ? `wait ${step.ms}` : step.step;
}
