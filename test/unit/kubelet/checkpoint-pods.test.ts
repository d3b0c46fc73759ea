// The quick look into the kubelet's checkpoint: yes or no only for what it understands.

import { expect, test } from "vitest";

import { isWithoutDevices } from "../../../kubelet/checkpoint-pods.ts";

function checkpoint(entries: unknown): string {
  return JSON.stringify({ Data: { PodDeviceEntries: entries, RegisteredDevices: {} }, Checksum: 1 });
}

test.each([
  ["no pod has devices", checkpoint(null), true],
  ["other pods have", checkpoint([{ PodUID: "a" }, { PodUID: "uid-1x" }]), true],
  ["the pod has one", checkpoint([{ PodUID: "a" }, { PodUID: "uid-1" }]), false],
  ["an entry is none", checkpoint([{ PodUID: "a" }, 3]), undefined],
  ["an entry has no UID", checkpoint([{}]), undefined],
  ["there is no list", checkpoint(undefined), undefined],
  ["there is no data", "{}", undefined],
  ["it is null", "null", undefined],
  ["it is empty", "", undefined],
  ["it is cut off", checkpoint(null).slice(0, -5), undefined],
])("%s", (_name, text, expected) => {
  expect(isWithoutDevices(text, "uid-1")).toBe(expected);
});
