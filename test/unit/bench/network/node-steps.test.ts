// Tests planVfs of test/bench/network/node-steps.ts; the other plans run in test/process/bench/network.test.ts.

import { expect, test } from "vitest";

import { planVfs } from "../../../bench/network/node-steps.ts";
import { formatCommand } from "../../../bench/network/step.ts";

const sriov = { address: "0000:3b:00.0", totalVfs: 8, vfs: [], users: [] };

test("VFs are made where there are none, and removed again", () => {
  const [make, settle, ...more] = planVfs({ sriov }, 6);
  const texts = [make?.apply, settle?.apply, make?.undo].map((command) => command && formatCommand(command));
  expect(texts).toEqual([
    "tee /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs <<< '6'",
    "udevadm settle",
    "tee /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs <<< '0'",
  ]);
  expect([settle?.undo, ...more]).toEqual([undefined]);
});

test("VFs that are there stay, and an interface without SR-IOV gets none", () => {
  expect(planVfs({ sriov: { ...sriov, vfs: ["0000:3b:02.0"] } }, 6)).toEqual([]);
  expect(planVfs({ sriov: undefined }, 6)).toEqual([]);
});
