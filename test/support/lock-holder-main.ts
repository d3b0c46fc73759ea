// A process that takes one lock, says so on stdout, and holds it until it is ended: `bun lock-holder-main.ts FOLDER NAME`.

import { createClock } from "../../host/clock.ts";
import { createFiles } from "../../host/files.ts";
import { createLibc } from "../../host/libc.ts";
import { createLocks } from "../../host/lock.ts";

const [, , folder = "", name = ""] = process.argv;
const locks = createLocks({ libc: createLibc(), clock: createClock(createFiles()) }, folder);
const held = await locks.acquire(name);
process.stdout.write(`holding ${held.path}\n`);
await new Promise(() => setInterval(() => {}, 60_000));
