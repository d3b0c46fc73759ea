// Announcements that ADD had to leave: done at carrier-up, once, for the VF and the pod that they are about.

import { expect, test } from "vitest";

import { readAttachment, writeAttachment } from "../../../sriov/attachment-store.ts";
import type { Attachment } from "../../../sriov/attachment.ts";
import { announcePending } from "../../../tuning/announce-pending.ts";
import { LinkWatches } from "../../../tuning/link-watches.ts";
import { withFault } from "../../support/faults.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";

function attachPending(node: TuningNode): Attachment {
  const applied = { addresses: ["192.0.2.50/24", "2001:db8::50/64"], routes: [] };
  return node.attach(0, "web-1", (record) => ({ ...record, announce: "pending", applied }));
}

/** The carrier of the pod's net1 comes or goes. */
function setUp(node: TuningNode, value: boolean): void {
  using netns = node.host.namespaces.open("/run/netns/web-1");
  using inside = node.host.openNetlink(netns);
  const link = inside.getLink({ name: "net1" });
  inside.setLink(link?.index ?? 0, { set: "up", value });
}

function announceOf(node: TuningNode): string | undefined {
  return readAttachment(node.host, node.address(0))?.announce;
}

test("waits while there is no carrier, without a lock", async () => {
  using node = createTuningNode(1);
  const record = attachPending(node);
  expect(await announcePending(node.host, record, 0)).toEqual({ result: "waiting", problems: [] });
  expect(node.fake.locks.taken).toEqual([]);
  expect(announceOf(node)).toBe("pending");
});

test("sends one frame for each address, under the VF's lock, and marks the record; not a second time", async () => {
  using node = createTuningNode(1);
  const record = attachPending(node);
  setUp(node, true);
  expect(await announcePending(node.host, record, 0)).toEqual({ result: "announced", problems: [] });
  expect(node.fake.kernel.frames.map(({ link, bytes }) => [link, bytes.length])).toEqual([
    ["net1", 42],
    ["net1", 86],
  ]);
  expect(node.fake.locks.taken).toEqual([node.address(0)]);
  expect(announceOf(node)).toBe("done");
  expect(await announcePending(node.host, record, 0)).toMatchObject({ result: "waiting" });
  expect(node.fake.kernel.frames).toHaveLength(2);
});

test("the record of another pod on the same VF is left alone", async () => {
  using node = createTuningNode(1);
  const record = attachPending(node);
  setUp(node, true);
  writeAttachment(node.host, { ...record, owner: { ...record.owner, containerId: "another" } });
  expect(await announcePending(node.host, record, 0)).toMatchObject({ result: "waiting" });
  expect(node.fake.kernel.frames).toEqual([]);
  expect(announceOf(node)).toBe("pending");
});

test("a VF that the CNI works on is left to the next pass", async () => {
  using node = createTuningNode(1);
  const record = attachPending(node);
  setUp(node, true);
  using _lock = await node.host.locks.acquire(node.address(0));
  expect(await announcePending(node.host, record, 0)).toEqual({ result: "busy", problems: [] });
});

test("a failure at any host call is a problem and leaves it pending, unless it came after the sending", async () => {
  using counted = createTuningNode(1);
  const first = attachPending(counted);
  setUp(counted, true);
  const counter = withFault(counted.host);
  await announcePending(counter.host, first, 0);
  for (const at of counter.calls.keys()) {
    using node = createTuningNode(1);
    const record = attachPending(node);
    setUp(node, true);
    const { result, problems } = await announcePending(
      withFault(node.host, { at, how: "fail" }).host,
      record,
      0,
    );
    expect({ at, problems: problems.length }).toEqual({ at, problems: result === "failed" ? 1 : 0 });
    expect({ at, announce: announceOf(node) }).toEqual({
      at,
      announce: result === "announced" ? "done" : "pending",
    });
  }
});

test("a watch tells of the carrier of its VF, and of one that was there before", async () => {
  using node = createTuningNode(1);
  const record = attachPending(node);
  let carriers = 0;
  using watches = new LinkWatches(node.host, () => (carriers += 1));
  watches.follow([{ record, until: "carrier" }]);
  expect(carriers).toBe(0);
  setUp(node, true);
  await new Promise(setImmediate);
  expect(carriers).toBe(1);
  using late = new LinkWatches(node.host, () => (carriers += 1));
  late.follow([{ record, until: "carrier" }]);
  expect(carriers).toBe(2);
});

test("a watch ends with what it waits for, and with the pod's namespace", async () => {
  using node = createTuningNode(1);
  const record = attachPending(node);
  const listeners = node.fake.kernel.mounted.get("/run/netns/web-1")?.listeners;
  using watches = new LinkWatches(node.host, () => undefined);
  watches.follow([{ record, until: "carrier" }]);
  watches.follow([{ record, until: "carrier" }]);
  expect(listeners?.size).toBe(1);
  watches.follow([]);
  expect(listeners?.size).toBe(0);
  watches.follow([{ record, until: "carrier" }]);
  node.fake.removeNetns("web-1", 100);
  watches.follow([{ record, until: "carrier" }]);
  expect(listeners?.size).toBe(0);
});
