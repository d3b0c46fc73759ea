// The kernel threads that poll a VF's queues under threaded NAPI, wherever the VF's netdev is.

import { join } from "node:path";

import type { Host } from "../host/host.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { parseCpuList } from "../sriov/cpu-list.ts";
import { withRecordLink } from "./record-netns.ts";

/** `cpus`: those that it may run on. `name`: "napi/net1-8193", with the id of its NAPI. */
export interface NapiThread {
  readonly pid: number;
  readonly name: string;
  readonly cpus: readonly number[];
}

/** `irq`: where the driver tells it. `thread`: where it has one. */
export interface SeenNapi {
  readonly irq: number | undefined;
  readonly thread: NapiThread | undefined;
}

type Eyes = Pick<Host, "files" | "paths" | "namespaces" | "openNetlink" | "openNapis">;

/**
 * The NAPI instances of the record's VF in the order in which its driver added them; none while the VF is down or its namespace
 * is gone; `undefined` where the kernel can't tell (before Linux 6.8).
 */
export function readNapis(host: Eyes, record: Attachment): readonly SeenNapi[] | undefined {
  const read = withRecordLink(host, record, (netns, index) => {
    using napis = host.openNapis(netns);
    return { list: napis.list(index) };
  });
  if (read === undefined) return [];
  return read.list?.map(({ irq, pid }) => ({
    irq,
    thread: pid === undefined ? undefined : readNapiThread(host, pid),
  }));
}

/** The thread with that pid now; `undefined` when it is gone, or is none of NAPI. Source: kernel net/core/dev.c, napi_kthread_create. */
export function readNapiThread(host: Pick<Host, "files" | "paths">, pid: number): NapiThread | undefined {
  const folder = join(host.paths.proc, `${pid}`);
  const name = host.files.readText(join(folder, "comm"))?.trim();
  const status = host.files.readText(join(folder, "status")) ?? "";
  const cpus = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  if (name?.startsWith("napi/") !== true || cpus === undefined) return undefined;
  return { pid, name, cpus: parseCpuList(cpus) };
}
