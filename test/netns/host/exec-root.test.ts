// Programs of another root: found in it, links included, and run with it, as tuning runs the host's IPAM delegates.

import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { releaseIpam } from "../../../sriov/ipam.ts";

// A mount namespace in which /mnt has a delegate behind an absolute link; it tells what it was called with.
const script = `
set -e
mount -t tmpfs none /mnt
mkdir /mnt/real
printf '#!/bin/sh\\n(env; cat) >/mnt/called\\n' >/mnt/real/lease-keeper
chmod 755 /mnt/real/lease-keeper
ln -s /mnt/real /mnt/bin
echo ready
read line
cat /mnt/called
`;

test("a delegate of the host is run with the host's root", async () => {
  const node = spawn("unshare", ["-m", "sh", "-c", script]);
  let output = "";
  node.stdout.on("data", (chunk: Buffer) => void (output += chunk.toString()));
  await once(node.stdout, "data");
  const host = createHost({ hostRoot: `/proc/${node.pid}/root` });
  const lease = {
    type: "lease-keeper",
    config: '{"name":"blue"}',
    path: "/mnt/bin",
    interface: "net1",
    args: "",
  };
  await releaseIpam(host, { lease, containerId: "c1", netns: "" });
  expect(host.files.stat("/mnt/bin/lease-keeper")).toBeUndefined();
  node.stdin.end("\n");
  await once(node, "close");
  expect(output).toContain("CNI_COMMAND=DEL");
  expect(output).toContain('{"name":"blue"}');
});
