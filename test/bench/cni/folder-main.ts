// virtfn-cni on a node that is a folder, its one argument: the entry of the shipped executable with another root. It loads as late as that does.

import { runProcess } from "../../../cni/process.ts";

await runProcess(process.argv[2] ?? "", console);
