// What the neighbours of a pod's VF hear of its addresses: a veth peer listens.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { encodeAnnouncement } from "../../../sriov/announce.ts";
import { readAttachment } from "../../../sriov/attachment-store.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { announcePending } from "../../../tuning/announce-pending.ts";
import { LinkWatches } from "../../../tuning/link-watches.ts";
import { receiveFrames } from "../../support/frame-receiver.ts";
import { createTestNetns } from "../../support/netns.ts";
import { createStandInHost } from "../../support/stand-in-host.ts";
import { createStandInNode, type StandInNode } from "../../support/stand-in-node.ts";

const mac = "02:aa:bb:cc:dd:01";
const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.0", mac };
const dualStack = { ...config, ips: ["192.0.2.50/24", "198.51.100.7/32", "2001:db8::50/64"] };

function peerIndex(node: StandInNode): number {
  const [link] = node.host.look("link show pf0v0p");
  return Number(link?.["ifindex"]);
}

function announceOf(node: StandInNode): unknown {
  const path = join(node.root, "var/lib/virtfn/attachments/0000:3b:02.0.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { announce: unknown }).announce;
}

test("ADD announces every address by a frame of its own, whole and with a right checksum", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  using neighbour = receiveFrames(node.host.path, peerIndex(node));
  const added = await node.call("ADD", dualStack, { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path });
  expect(added).toMatchObject({ exitCode: 0 });
  const heard = neighbour.takeFrom(mac).map((frame) => Buffer.from(frame).toString("hex"));
  const wanted = [
    { family: 4, address: "192.0.2.50" },
    { family: 4, address: "198.51.100.7" },
    { family: 6, address: "2001:db8::50" },
  ] as const;
  for (const address of wanted)
    expect(heard).toContain(Buffer.from(encodeAnnouncement(mac, address)).toString("hex"));
  expect(announceOf(node)).toBe("done");
});

test("an IPv6 address can be used at once, while the kernel looks for duplicates", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  await node.call("ADD", dualStack, { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path });
  const [link] = pod.look("-6 addr show net1");
  expect(link?.["addr_info"]).toContainEqual(
    expect.objectContaining({ local: "2001:db8::50", optimistic: true }),
  );
});

test("a namespace in which IPv6 is off gets it for an interface with an IPv6 address", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  pod.run(["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"]);
  const added = await node.call("ADD", dualStack, { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path });
  expect(added).toMatchObject({ exitCode: 0 });
  const [link] = pod.look("-6 addr show net1");
  expect(link?.["addr_info"]).toContainEqual(expect.objectContaining({ local: "2001:db8::50" }));
});

test("the sysctls of the pod's interface do not go back to the host with the VF", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const env = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
  await node.call("ADD", dualStack, env);
  const names = ["ipv4/conf/net1/arp_notify", "ipv6/conf/net1/ndisc_notify", "ipv6/conf/net1/optimistic_dad"];
  const read = (netns: typeof pod, name: string): string =>
    netns.run(["cat", `/proc/sys/net/${name}`]).trim();
  expect(names.map((name) => read(pod, name))).toEqual(["1", "1", "1"]);
  await node.call("DEL", dualStack, env);
  expect(names.map((name) => read(node.host, name.replace("net1", "pf0v0")))).toEqual(["0", "0", "0"]);
});

test("without a carrier the pod starts and the announcement is left to be done", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  node.host.ip("link set pf0v0p down");
  const added = await node.call("ADD", dualStack, { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path });
  expect(added).toMatchObject({ exitCode: 0 });
  expect(announceOf(node)).toBe("pending");
});

test("tuning announces what is pending when the carrier comes", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  node.host.ip("link set pf0v0p down");
  await node.call("ADD", dualStack, { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path });
  const host = createStandInHost(node.root);
  const record = readAttachment(host, parsePciAddress("0000:3b:02.0"));
  if (record === undefined) throw new Error("ADD left no record");
  const { promise: carrier, resolve: onCarrier } = Promise.withResolvers<void>();
  using watches = new LinkWatches(host, onCarrier);
  watches.follow([{ record, until: "carrier" }]);
  node.host.ip("link set pf0v0p up");
  using neighbour = receiveFrames(node.host.path, peerIndex(node));
  await carrier;
  expect(await announcePending(host, record, 0)).toEqual({ result: "announced", problems: [] });
  const heard = neighbour.takeFrom(mac).map((frame) => Buffer.from(frame).toString("hex"));
  const wanted = encodeAnnouncement(mac, { family: 4, address: "192.0.2.50" });
  expect(heard).toContain(Buffer.from(wanted).toString("hex"));
  expect(announceOf(node)).toBe("done");
});
