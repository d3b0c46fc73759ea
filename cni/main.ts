// The entry of virtfn-cni.

import { runProcess } from "./process.ts";

await runProcess("/", console);
