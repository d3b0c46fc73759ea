// The kubelet's device checkpoint: what a real one says, and what is refused.
import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Files } from "../../../host/files.ts";
import { createPaths } from "../../../host/paths.ts";
import { parseCheckpoint, readCheckpoint } from "../../../kubelet/checkpoint.ts";
import { CheckpointError } from "../../../kubelet/errors.ts";

const real = JSON.stringify({
  Data: {
    PodDeviceEntries: [
      entry("uid-1", "app", "sriov/vf", { "1": ["0000:21:10.2"], "0": ["0000:01:10.0"] }),
      entry("uid-1", "side", "sriov/vf", { "-1": ["0000:21:10.4"] }),
      entry("uid-1", "app", "vendor.example/gpu", { "0": ["g0"] }),
      entry("uid-2", "app", "sriov/vf", { "0": ["0000:01:10.2"] }),
    ],
    RegisteredDevices: { "sriov/vf": ["0000:21:10.2", "0000:01:10.0"], "gone/thing": null },
  },
  Checksum: 2632606408,
});

test("devices are found by pod, container and resource, over all NUMA nodes", () => {
  const checkpoint = parseCheckpoint(real, "/checkpoint");
  expect(checkpoint.pods.get("uid-1")?.get("app")?.get("sriov/vf")).toEqual(["0000:01:10.0", "0000:21:10.2"]);
  expect(checkpoint.pods.get("uid-1")?.get("side")?.get("sriov/vf")).toEqual(["0000:21:10.4"]);
  expect(checkpoint.pods.get("uid-1")?.get("app")?.get("vendor.example/gpu")).toEqual(["g0"]);
  expect(checkpoint.pods.get("uid-2")?.get("app")?.get("sriov/vf")).toEqual(["0000:01:10.2"]);
  expect(checkpoint.registeredDevices.get("sriov/vf")).toEqual(["0000:21:10.2", "0000:01:10.0"]);
  expect(checkpoint.registeredDevices.get("gone/thing")).toEqual([]);
});

test("the entries of a node after a reset are null", () => {
  const checkpoint = parseCheckpoint(
    '{"Data":{"PodDeviceEntries":null,"RegisteredDevices":{}},"Checksum":1}',
    "/c",
  );
  expect(checkpoint.pods.size).toBe(0);
  expect(checkpoint.registeredDevices.size).toBe(0);
});

test("two entries of one container and resource become one list without doubles", () => {
  const text = JSON.stringify({
    Data: {
      PodDeviceEntries: [
        entry("u", "c", "r/x", { "0": ["a", "b"] }),
        entry("u", "c", "r/x", { "1": ["b", "d"] }),
      ],
      RegisteredDevices: null,
    },
  });
  expect(parseCheckpoint(text, "/c").pods.get("u")?.get("c")?.get("r/x")).toEqual(["a", "b", "d"]);
});

test.each([
  ["an empty file", "", "got an empty file"],
  ["a file cut off", real.slice(0, 60), "expected JSON"],
  [
    "another format",
    '{"Data":{"PodDeviceEntries":[{"PodUID":7}]}}',
    "Data.PodDeviceEntries.0.PodUID: expected string, got 7",
  ],
  ["no object", "[]", 'Data: expected "Data", got undefined'],
  [
    "one without its entries",
    '{"Data":{"RegisteredDevices":{}}}',
    'Data.PodDeviceEntries: expected "PodDevice',
  ],
  [
    "one without its devices",
    '{"Data":{"PodDeviceEntries":[]}}',
    'Data.RegisteredDevices: expected "Registered',
  ],
  [
    "an entry without its devices",
    '{"Data":{"PodDeviceEntries":[{"PodUID":"u","ContainerName":"c","ResourceName":"r/x"}],"RegisteredDevices":{}}}',
    'Data.PodDeviceEntries.0.DeviceIDs: expected "DeviceIDs", got undefined',
  ],
])("%s is refused with the path and what was expected", (_name, text, message) => {
  expect(() => parseCheckpoint(text, "/var/lib/kubelet/checkpoint")).toThrow(CheckpointError);
  expect(() => parseCheckpoint(text, "/var/lib/kubelet/checkpoint")).toThrow("/var/lib/kubelet/checkpoint");
  expect(() => parseCheckpoint(text, "/var/lib/kubelet/checkpoint")).toThrow(message);
});

test("any text is a checkpoint or ERR_CHECKPOINT, nothing else", () => {
  const texts = fc.oneof(fc.string(), fc.json());
  expect(fc.check(fc.property(texts, isCheckpointOrRefused)).counterexample).toBeNull();
});

test("no file is no checkpoint, and the file is looked for below the host's root", () => {
  const asked: string[] = [];
  const files = { readText: (path: string) => void asked.push(path) } as unknown as Files;
  expect(readCheckpoint({ files, paths: createPaths("/tree") })).toBeUndefined();
  expect(asked).toEqual(["/tree/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint"]);
});

function entry(
  PodUID: string,
  ContainerName: string,
  ResourceName: string,
  DeviceIDs: Record<string, string[]>,
): object {
  return { PodUID, ContainerName, ResourceName, DeviceIDs, AllocResp: "Cg8K" };
}

function isCheckpointOrRefused(text: string): boolean {
  try {
    return parseCheckpoint(text, "/c").pods.size >= 0;
  } catch (error) {
    return error instanceof CheckpointError;
  }
}
