// Has a call that has begun go before those that only start: with many at once, what holds the kernel's lock of networks must not wait for a CPU.

import { SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";

/** The highest there is. It counts among the processes of one cgroup: beside a pod's it changes nothing. Source: sched(7), nice value and group scheduling. */
const highest = -20;

/** From here on this thread, and the IPAM plugins that it runs, take a CPU before others. Where that may not be (CAP_SYS_NICE) all is as before. */
export function goFirst({ threads }: Pick<Host, "threads">): void {
  try {
    threads.setNice(highest);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
  }
}
