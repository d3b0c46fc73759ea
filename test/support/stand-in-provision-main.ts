// `virtfn provision` on stand-ins: the command of the shipped executable with another host, whose root is the first argument.
// Writing `sriov_numvfs` makes VFs as a driver does; STAND_IN_DIE_AFTER is the count after whose writing the process is killed.

import { execFileSync } from "node:child_process";

import { readPodAllocations } from "../../cli/node/pod-allocations.ts";
import { runProvision } from "../../cli/provision/main.ts";
import type { Host } from "../../host/host.ts";
import { createStandInHost } from "./stand-in-host.ts";
import { setStandInVfs } from "./stand-in-vfs.ts";

const [root = "", ...args] = process.argv.slice(2);
const host = withVfs(createStandInHost(root));
const print = (text: string): void => void process.stdout.write(text);
process.exitCode = await runProvision(host, args, {
  print,
  listPods: async () => readPodAllocations(host, []),
});

function withVfs(node: Host): Host {
  const writeText: Host["files"]["writeText"] = (path, text) => {
    if (!path.endsWith("/sriov_numvfs")) return node.files.writeText(path, text);
    setStandInVfs(root, Number(text), (command) => void execFileSync("ip", command.split(" ")));
    if (text.trim() === process.env["STAND_IN_DIE_AFTER"]) process.kill(process.pid, "SIGKILL");
  };
  return { ...node, files: { ...node.files, writeText } };
}
