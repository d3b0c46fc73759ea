// Programs on a link's traffic, on the real kernel: they outlive a move between namespaces, and are taken off.

import { closeSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { createLibc } from "../../../host/libc.ts";
import { enterNetns } from "../../../host/netns-enter.ts";
import { createTrafficPrograms } from "../../../host/traffic-programs.ts";
import { clearPodLeftovers } from "../../../sriov/pod-leftovers.ts";
import { attachTcx, countTcx, linkXdp, loadTcxProgram, loadXdpProgram } from "../../support/xdp.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";

const libc = createLibc();

function within<T>(netns: TestNetns, work: () => T): T {
  using handle = createHost().namespaces.open(netns.path);
  if (handle === undefined) throw new Error(`cannot open ${netns.path}`);
  return enterNetns(libc, handle, work);
}

function indexOf(netns: TestNetns): number {
  return Number(netns.look("link show v0")[0]?.["ifindex"]);
}

test("programs of a pod are on a link that went home, until they are taken off", ({ skip }) => {
  using pod = createTestNetns();
  using home = createTestNetns();
  pod.ip("link add v0 type veth peer name v1");
  using programs = new DisposableStack();
  const [own, held] = [programs.use(loadTcxProgram()), programs.use(loadTcxProgram())];
  const there = indexOf(pod);
  const isKnown = within(pod, () => attachTcx(there, held, "link") && attachTcx(there, own, "program"));
  if (!isKnown) skip(`the kernel ${readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()} has no tcx`);
  pod.ip(`link set v0 netns ${home.name}`);
  const index = indexOf(home);
  expect(within(home, () => countTcx(index))).toBe(2);
  const remove = (): void => createTrafficPrograms(libc).removeAll(index);
  within(home, remove);
  expect(within(home, () => countTcx(index))).toBe(0);
  within(home, remove);
  home.ip("link delete v0");
  within(home, remove);
});

test("an XDP program that a bpf_link holds is taken off, and no other", () => {
  using pod = createTestNetns();
  using home = createTestNetns();
  for (const netns of [pod, home]) netns.ip("link add v0 index 77 type veth peer name v1");
  using programs = new DisposableStack();
  const load = (): ReturnType<typeof loadXdpProgram> => programs.use(loadXdpProgram());
  const hold = (netns: TestNetns): void => {
    const fd = within(netns, () => linkXdp(77, load()));
    expect(fd).toBeGreaterThan(0);
    programs.defer(() => closeSync(fd));
  };
  // The one that stays has the ifindex of the other.
  for (const netns of [pod, home]) hold(netns);
  const host = createHost();
  using handle = host.namespaces.open(home.path);
  using netlink = host.openNetlink(handle);
  const read = (): ReturnType<typeof netlink.getLink> => netlink.getLink({ index: 77 });
  const link = read();
  if (link === undefined) throw new Error("there is no v0");
  expect(() => netlink.setLink(77, { set: "withoutXdp", value: "skb" })).toThrow("EBUSY");
  clearPodLeftovers(host, netlink, link);
  expect(read()?.xdp).toEqual([]);
  expect(pod.look("link show v0")[0]).toHaveProperty("xdp");
});
