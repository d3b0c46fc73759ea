// Giving a VF back whose record cannot be read, on a node where reading and IPAM fail at once.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { resetUnreadable } from "../../../sriov/reset-unreadable.ts";
import { salvageRecord } from "../../../sriov/salvage-record.ts";
import { createAttachedNode } from "../../support/attached-node.ts";

const address = parsePciAddress("0000:3b:02.1");
const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: address, ipam };

function refuseRead(path: string): never {
  throw new SystemCallError("readlink", path, "EIO");
}

function refuseRun({ command }: { readonly command: string }): Promise<never> {
  return Promise.reject(new SystemCallError("spawn", command, "EAGAIN"));
}

test("every part is tried, all that failed is told, and the record stays", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  const salvaged = salvageRecord(node.host, address);
  const files = { ...node.host.files, readLink: refuseRead };
  const host: Host = { ...node.host, files, exec: { run: refuseRun } };
  const options = { salvaged, netns: undefined, reason: "of a test" };
  await expect(resetUnreadable(host, address, options)).rejects.toThrow(/EAGAIN.*EIO/s);
  expect(node.toText()).toContain(`attachments ${address}.json`);
});
