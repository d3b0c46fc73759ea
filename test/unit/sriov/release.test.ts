// Giving a VF back on a node that cannot write.

import { expect, it } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};

function refuse(path: string): never {
  throw new SystemCallError("write", path, "ENOSPC");
}

it("needs no room on the disk", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const before = node.toText();
  expect(await callCni(node.host, config, {})).toMatchObject({ exitCode: 0 });
  const full: Host = { ...node.host, files: { ...node.host.files, writeAtomic: refuse } };
  expect(await callCni(full, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});
