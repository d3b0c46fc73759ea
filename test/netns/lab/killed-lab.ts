// A process with a lab's namespace and a program in it, for network.test.ts to kill.
import { join } from "node:path";
import { startChild } from "../../lab/child.ts";
import { createLabNetwork } from "../../lab/cluster/network.ts";

const { netns } = await createLabNetwork();
const child = startChild({
  name: "sleep",
  command: "sleep",
  args: ["1000"],
  netns,
  logFile: join(process.argv[2] ?? "", "log"),
});
process.stdout.write(`${netns} ${child.pid}\n`);
await child.whileRunning(new Promise(() => {}));
