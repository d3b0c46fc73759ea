// VFs are made where a PF has none, once, and are ready when that is over.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { readNotedQueues } from "../../../sriov/pf-queues.ts";
import { planProvision, provisionPf } from "../../../sriov/provision.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { addLink } from "../../support/fake-host-kernel.ts";
import { announceLink } from "../../support/fake-host-rules.ts";
import { createFakeHost, type FakeHost, type FakePf } from "../../support/fake-host.ts";

const address = parsePciAddress("0000:3b:00.0");
const pf = { address, netdevs: ["ens1f0"], totalVfs: 7, numVfs: 0 };

function makeNode(more: Partial<FakePf> = {}): FakeHost {
  return createFakeHost([{ name: "ens1f0", address, vfs: 0, ...more }]);
}

test("the plan brings the PF up first, and does nothing to a PF that has VFs", () => {
  expect(planProvision(pf, false, 7)).toEqual([
    { do: "bringUp", netdev: "ens1f0" },
    { do: "setNumVfs", numVfs: 7 },
  ]);
  expect(planProvision(pf, true, 2)).toEqual([{ do: "setNumVfs", numVfs: 2 }]);
  expect(planProvision({ ...pf, numVfs: 3 }, false, 2)).toEqual([]);
  expect(planProvision({ ...pf, netdevs: [] }, false, 2)).toEqual([{ do: "setNumVfs", numVfs: 2 }]);
});

test("more than the card has is an error with its total", () => {
  expect(() => planProvision(pf, true, 8)).toThrow(
    "making 8 VFs of ens1f0: expected 1 to 7, the most that this card has",
  );
});

test("the VFs are there under the names that udev gives, and doing it again changes nothing", async () => {
  using node = makeNode({ isDown: true });
  await provisionPf(node.host, address, 2);
  expect(node.toText()).toContain("ens1f0 0000:3b:00.0 mac 02:00:00:00:00:ff mtu 1500 up");
  expect(node.toText()).toMatch(/ens1f0v0 0000:3b:02\.0 mac 0a\S+ mtu 1500 down altnames enp0s0v0/);
  expect(node.toText()).toMatch(/ens1f0v1 0000:3b:02\.1 mac 0a\S+ mtu 1500 down altnames enp0s0v1/);
  const made = node.toText();
  await provisionPf(node.host, address, 2);
  await provisionPf(node.host, address, 5);
  expect(node.toText()).toBe(made);
});

test("how many queues the PF has before is noted, and that it cannot be is no error", async () => {
  using node = makeNode({ driver: "ice" });
  expect(readNotedQueues(node.host, address)).toBeUndefined();
  await provisionPf({ ...node.host, files: { ...node.host.files, writeAtomic: refuse } }, address, 2);
  expect(readNotedQueues(node.host, address)).toBeUndefined();
  using again = makeNode({ driver: "ice" });
  await provisionPf(again.host, address, 2);
  expect(readNotedQueues(again.host, address)).toBe(4);
  again.host.files.writeAtomic(`${again.host.paths.pfNotes}/${address}.json`, "{");
  expect(readNotedQueues(again.host, address)).toBeUndefined();
});

test("the locks of the VFs to be are taken first, then that of the PF, and all are given back", async () => {
  using node = makeNode();
  await provisionPf(node.host, address, 2);
  expect(node.locks.taken).toEqual(["0000:3b:02.0", "0000:3b:02.1", "0000:3b:00.0"]);
  expect(node.locks.held.size).toBe(0);
});

test("of many at once one makes them", async () => {
  using node = makeNode();
  let writes = 0;
  const files = { ...node.host.files };
  files.writeText = (path, text) => {
    if (path.endsWith("sriov_numvfs")) writes += 1;
    node.host.files.writeText(path, text);
  };
  await Promise.all(Array.from({ length: 8 }, () => provisionPf({ ...node.host, files }, address, 4)));
  expect(writes).toBe(1);
});

test("pods that come and go meanwhile do not keep it waiting", async () => {
  using node = makeNode();
  const startMs = node.host.clock.monotonicMs();
  for (let ms = 50; ms < 5_000; ms += 50)
    node.clock.after(ms, () => {
      const veth = addLink(node.kernel, { name: `veth${ms}`, mac: "02:00:00:00:ee:01", kind: "veth" });
      announceLink(node.kernel.host, veth);
    });
  await provisionPf(node.host, address, 1);
  expect(node.host.clock.monotonicMs() - startMs).toBeLessThan(1_000);
});

test.each([
  {
    name: "renames of udev are waited for until there is none any more",
    untilMs: 3_000,
    least: 3_000,
    most: 4_000,
  },
  {
    name: "renames that never end keep it waiting for ten seconds",
    untilMs: 60_000,
    least: 9_000,
    most: 12_000,
  },
])("$name", async ({ untilMs, least, most }) => {
  using node = makeNode();
  const link = addLink(node.kernel, { name: "ens1f0v", mac: "02:00:00:00:ee:02" });
  const startMs = node.host.clock.monotonicMs();
  for (let ms = 200; ms <= untilMs; ms += 200)
    node.clock.after(ms, () => announceLink(node.kernel.host, link));
  await provisionPf(node.host, address, 1);
  const tookMs = node.host.clock.monotonicMs() - startMs;
  expect(tookMs).toBeGreaterThanOrEqual(least);
  expect(tookMs).toBeLessThan(most);
});

test("what the kernel refuses is named", async () => {
  using node = makeNode();
  const files = { ...node.host.files };
  files.writeText = (path) => node.host.files.writeText(`${path}.none`, "");
  await expect(provisionPf({ ...node.host, files }, address, 2)).rejects.toMatchObject({
    code: "ERR_PROVISION",
    message: expect.stringContaining(
      "provisioning ens1f0 (driver igb): writing 2 to sriov_numvfs: ",
    ) as string,
  });
  expect(node.locks.held.size).toBe(0);
});

test("a device that can have no VFs is refused", async () => {
  using node = makeNode({ vfs: 1 });
  await expect(provisionPf(node.host, parsePciAddress("0000:3b:02.0"), 1)).rejects.toThrow(
    "it can have none",
  );
});

function refuse(path: string): never {
  throw new SystemCallError("write", path, "EROFS");
}
