// virtfn doctor and explain on stand-ins, as a process in the node's namespace. Arguments: the node's root, the command, its arguments.
// What the kubelet would answer is in PODS, as JSON: devices of sriov/vf by pod of namespace shop.

import { runDoctor } from "../../cli/doctor/main.ts";
import { runExplain } from "../../cli/explain/main.ts";
import { makePod } from "./doctor-node.ts";
import { createStandInHost } from "./stand-in-host.ts";

const [root = "", command, ...args] = process.argv.slice(2);
const run = command === "explain" ? runExplain : runDoctor;
const pods = Object.entries(JSON.parse(process.env["PODS"] ?? "{}") as Record<string, readonly string[]>);
process.exitCode = await run(createStandInHost(root), args, {
  print: (text) => void process.stdout.write(text),
  isTerminal: false,
  listPods: async () => pods.map(([name, vfs]) => makePod(name, vfs)),
});
