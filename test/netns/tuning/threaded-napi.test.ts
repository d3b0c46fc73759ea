// Threaded NAPI on the real kernel: a veth with an XDP program polls, its threads are told by the kernel, and go where they are sent.

import { setTimeout as wait } from "node:timers/promises";

import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { createLibc } from "../../../host/libc.ts";
import { NetlinkSocket, openRouteSocket } from "../../../host/netlink/socket.ts";
import { enterNetns } from "../../../host/netns-enter.ts";
import { readNapiThread } from "../../../tuning/napi-threads.ts";
import { openQueues } from "../../../tuning/vf-queues.ts";
import { createTestNetns } from "../../support/netns.ts";
import { attachXdpRequest, loadXdpProgram } from "../../support/xdp.ts";

test("the threads of a netdev's NAPI in another namespace are found, moved and ended", async () => {
  using netns = createTestNetns();
  netns.ip(
    "link add veth0 numrxqueues 2 numtxqueues 2 type veth peer name veth1 numrxqueues 2 numtxqueues 2",
  );
  netns.ip("link set veth1 up");
  netns.ip("link set veth0 up");
  const host = createHost();
  using handle = host.namespaces.open(netns.path);
  if (handle === undefined) throw new Error(`cannot open ${netns.path}`);
  using netlink = host.openNetlink(handle);
  const index = netlink.getLink({ name: "veth0" })?.index ?? 0;
  using queues = openQueues(host.namespaces.openSysfs(handle), "veth0");
  using napis = host.openNapis(handle);
  expect(queues.readValues()).toContainEqual({ path: "threaded", text: "0" });
  // It has no NAPI to be threaded.
  expect(() => queues.writeValue("threaded", "1")).toThrow(/E(?:OP)?NOTSUP/);

  using program = loadXdpProgram();
  const libc = createLibc();
  using socket = new NetlinkSocket(
    libc,
    enterNetns(libc, handle, () => openRouteSocket(libc)),
  );
  socket.change("attach", attachXdpRequest(index, program, "drv"));
  expect(napis.list(index)?.map(({ pid }) => pid)).toEqual([undefined, undefined]);

  expect(queues.writeValue("threaded", "1")).toBe("1");
  const threads = (napis.list(index) ?? []).map(({ id, pid = 0 }) => ({ id, pid }));
  for (const [at, { id, pid }] of threads.entries()) {
    expect(readNapiThread(host, pid)?.name).toBe(`napi/veth0-${id}`);
    host.threads.setCpus(pid, [at]);
    expect(readNapiThread(host, pid)?.cpus).toEqual([at]);
  }
  expect(threads).toHaveLength(2);
  expect(() => host.threads.setCpus(threads[0]?.pid ?? 0, [4095])).toThrow(/EINVAL/);

  expect(queues.writeValue("threaded", "0")).toBe("0");
  // Linux before 6.17 keeps them, idle, until the netdev goes.
  await wait(50);
  for (const { id, pid } of threads)
    expect([undefined, `napi/veth0-${id}`]).toContain(readNapiThread(host, pid)?.name);
});

test("a thread that is gone can't be moved", () => {
  expect(() => createHost().threads.setCpus(2 ** 22 + 1, [0])).toThrow(/ESRCH/);
});
