// The fake node's NAPI instances: one for each receive queue of a link, with a kernel thread each while its netdev is threaded.

import * as fs from "node:fs";
import { join } from "node:path";

import { SystemCallError } from "../../host/errors.ts";
import type { Napis } from "../../host/netlink/napi.ts";
import type { Threads } from "../../host/threads.ts";
import { formatCpuList } from "../../sriov/cpu-list.ts";
import type { FakeNetns } from "./fake-host-kernel.ts";

/** `proc` is the folder of the node's processes, where the threads show. Links count as up. Ids follow the device, not the name or index of its link. */
export function openFakeNapis(netns: FakeNetns, proc: string): Napis {
  return {
    list: (index) => {
      const link = netns.links.get(index);
      if (link === undefined) return [];
      const folder = join(netns.sysfs, "class/net", link.name);
      const isThreaded = fs.readFileSync(join(folder, "threaded"), "utf8").trim() !== "0";
      const queues = fs.readdirSync(join(folder, "queues")).filter((queue) => queue.startsWith("rx-"));
      return queues.map((_, at) => {
        const id = 1000 + Number.parseInt((link.device ?? "0").replaceAll(/\D/g, "").slice(-3), 10) * 10 + at;
        return { id, irq: undefined, pid: isThreaded ? startThread(proc, id, link.name) : undefined };
      });
    },
    [Symbol.dispose]: () => undefined,
  };
}

export function createFakeThreads(proc: string): Threads {
  return {
    setCpus: (pid, cpus) => {
      if (!fs.existsSync(join(proc, `${pid}`)))
        throw new SystemCallError("sched_setaffinity", `${pid}`, "ESRCH");
      writeStatus(proc, pid, formatCpuList(cpus));
    },
    setNice: () => undefined,
  };
}

// Its pid is that of its NAPI, and more than those of other processes.
function startThread(proc: string, id: number, name: string): number {
  const pid = 100_000 + id;
  if (!fs.existsSync(join(proc, `${pid}`))) {
    fs.mkdirSync(join(proc, `${pid}`));
    fs.writeFileSync(join(proc, `${pid}/comm`), `napi/${name}-${id}\n`);
    writeStatus(proc, pid, "0-7");
  }
  return pid;
}

function writeStatus(proc: string, pid: number, cpus: string): void {
  fs.writeFileSync(join(proc, `${pid}/status`), `Name:\tnapi\nCpus_allowed_list:\t${cpus}\n`);
}
