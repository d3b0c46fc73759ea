// A call that gives or takes a VF goes before others that want a CPU: the IPAM plugin that it runs tells the nice value of its caller.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { createTestNetns } from "../../support/netns.ts";
import { createStandInNode } from "../../support/stand-in-node.ts";

test("ADD and DEL have the highest nice value that they may, from the VF's lock on", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const told = join(node.root, "told");
  const script = `#!/bin/sh
    read -r stat </proc/$PPID/stat
    set -- $stat
    echo "$CNI_COMMAND \${19}" >>${told}
    echo '{"cniVersion":"1.0.0","ips":[{"address":"192.0.2.9/24"}]}'`;
  fs.writeFileSync(join(node.root, "nice"), script, { mode: 0o755 });
  const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.0" };
  const call = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path, CNI_PATH: node.root };
  for (const verb of ["ADD", "DEL"])
    expect(await node.call(verb, { ...config, ipam: { type: "nice" } }, call)).toMatchObject({ exitCode: 0 });
  // From the lowest, too. Where it may not be changed nice(1) says so, and goes on with what is.
  const highest = execFileSync("nice", ["-n", "-40", "nice"], { encoding: "utf8" }).trim();
  expect(fs.readFileSync(told, "utf8")).toBe(`ADD ${highest}\nDEL ${highest}\n`);
});
