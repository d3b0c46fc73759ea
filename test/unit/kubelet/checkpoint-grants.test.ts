// What the kubelet keeps of a device plugin's answers.

import { expect, test } from "vitest";

import { readDeviceGrants } from "../../../kubelet/checkpoint-grants.ts";
import { ContainerAllocateResponse } from "../../../kubelet/gen/deviceplugin.ts";
import { createPaths } from "../../../host/paths.ts";
import type { Files } from "../../../host/files.ts";

function read(text: string | undefined): ReturnType<typeof readDeviceGrants> {
  const files = { readText: () => text } as unknown as Files;
  return readDeviceGrants({ files, paths: createPaths("/tree") });
}

function entry(AllocResp: unknown): string {
  const PodDeviceEntries = [
    {
      PodUID: "u",
      ContainerName: "c",
      ResourceName: "r/x",
      DeviceIDs: { "0": ["a"], "1": ["b"] },
      AllocResp,
    },
  ];
  return JSON.stringify({ Data: { PodDeviceEntries, RegisteredDevices: {} } });
}

test("device nodes and ids of each container", () => {
  const devices = ["/dev/vfio/vfio", "/dev/vfio/42"].map((hostPath) => ({
    hostPath,
    containerPath: hostPath,
    permissions: "rw",
  }));
  const answer = { envs: {}, mounts: [], devices, annotations: {}, cdiDevices: [] };
  const bytes = ContainerAllocateResponse.encode(answer).finish();
  expect(read(entry(Buffer.from(bytes).toString("base64")))).toEqual([
    {
      podUid: "u",
      container: "c",
      resource: "r/x",
      ids: ["a", "b"],
      nodes: ["/dev/vfio/vfio", "/dev/vfio/42"],
    },
  ]);
});

test.each([[undefined], ['{"Data":{"PodDeviceEntries":null,"RegisteredDevices":{}}}']])(
  "%j is no grant",
  (text) => {
    expect(read(text)).toEqual([]);
  },
);

test.each([[""], [null], [undefined]])("an answer %j has no nodes", (answer) => {
  expect(read(entry(answer))).toMatchObject([{ nodes: [] }]);
});

test("what is no answer is refused with the path", () => {
  expect(() => read(entry("/////w=="))).toThrow("kubelet_internal_checkpoint: AllocResp");
});
