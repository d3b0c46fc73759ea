// `virtfn tuning --once` beside the daemon: two passes over one node, the second one between a look and a lock of the first.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { readTuningRecord } from "../../../sriov/tuning-store.ts";
import { startIrqBalance } from "../../support/fake-irqbalance.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

/** The node, on which `other` is done before its lock `name` is taken for the first time. */
function interleaved({ host }: TuningNode, name: string, other: () => Promise<unknown>): Host {
  let isDone = false;
  const acquire: Host["locks"]["acquire"] = async (wanted, options) => {
    if (wanted === name && !isDone) {
      isDone = true;
      await other();
    }
    return host.locks.acquire(wanted, options);
  };
  return { ...host, locks: { acquire } };
}

/** A node of a driver with four channels for each VF, one of which a pod has. */
function makeChannelNode(tuning: string): TuningNode {
  const node = createTuningNode(3, "ice");
  configure(node, tuning);
  node.attach(0, "web-1");
  return node;
}

function configure({ host }: TuningNode, tuning: string): void {
  host.files.writeAtomic(host.paths.nodeConfig, `tuning: { ${tuning} }`);
}

const twoChannels = "policy: explicit, cpus: 2-3, channelPerCpu: true";

test("channels that the other pass has set are not set again, and what it noted is kept", async () => {
  using node = makeChannelNode(twoChannels);
  let noted: ReturnType<typeof readTuningRecord>;
  const host = interleaved(node, node.address(0), async () => {
    await passOnce(node.host);
    noted = readTuningRecord(node.host, node.address(0));
  });
  const { channels } = await passOnce(host);
  expect(channels.get(node.address(0))).toMatchObject({ result: "done", isChanged: true });
  expect(noted?.vectors).toHaveLength(2);
  expect(readTuningRecord(node.host, node.address(0))).toEqual(noted);
  expect(node.affinities(0)).toBe("2 3 0-3");
  expect(await listWrites(node)).toEqual([]);
});

test("the pin that the other pass moved is noted where it is", async () => {
  using node = createTuningNode();
  configure(node, "policy: explicit, cpus: 2-3");
  node.attach(0, "web-1");
  await passOnce(node.host);
  node.setAffinity(0, 1, "0-3");
  const host = interleaved(node, node.address(0), async () => {
    configure(node, "policy: explicit, cpus: 1");
    await passOnce(node.host);
  });
  await passOnce(host);
  const pinned = node.affinities(0).split(" ").slice(0, 2).map(Number);
  const noted = readTuningRecord(node.host, node.address(0))?.vectors.map(({ cpu }) => cpu);
  expect(noted).toEqual(pinned);
});

test("a record that can't be read is moved aside before channels are noted anew", async () => {
  using node = makeChannelNode(twoChannels);
  const { files, paths } = node.host;
  files.writeAtomic(`${paths.tuningState}/${node.address(0)}.json`, "{");
  await passOnce(node.host);
  expect(files.list(paths.quarantine)).toHaveLength(1);
  expect(node.channels("web-1")).toBe(2);
});

test("what irqbalance was told by the other pass is known as tuning's, and leaves its list with the pins", async () => {
  using node = createTuningNode();
  const irqbalance = startIrqBalance(node.fake, { pid: 77, bans: [9] });
  node.attach(0, "web-1");
  const { localSockets } = node.host;
  let other: Promise<unknown> | undefined;
  const ask: Host["localSockets"]["ask"] = async (address, message, options) => {
    other ??= passOnce(node.host);
    // The other one gets as far as it can.
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    return localSockets.ask(address, message, options);
  };
  await passOnce({ ...node.host, localSockets: { ...localSockets, ask } });
  await other;
  expect(irqbalance.bans).toEqual([9, ...node.irqs(0).slice(0, 2)]);
  node.detach(0, "web-1");
  await passOnce(node.host);
  expect(irqbalance.bans).toEqual([9]);
});

test("the table of socket flows stays for a pod that came before it was put back", async () => {
  using node = createTuningNode();
  configure(node, "rfs: true");
  node.attach(0, "web-1");
  await passOnce(node.host);
  node.detach(0, "web-1");
  const host = interleaved(node, "rfs", async () => {
    node.attach(1, "web-2");
    await passOnce(node.host);
  });
  await passOnce(host);
  expect(node.socketFlows()).toBe(32_768);
  expect(await listWrites(node)).toEqual([]);
});

test("the table of socket flows does not grow for a pod that went before that", async () => {
  using node = createTuningNode();
  configure(node, "rfs: true");
  node.attach(0, "web-1");
  const host = interleaved(node, "rfs", async () => {
    node.detach(0, "web-1");
    await passOnce(node.host);
  });
  await passOnce(host);
  expect(node.socketFlows()).toBe(0);
  expect(await listWrites(node)).toEqual([]);
});

test("the table of socket flows stays as it is where a record became unreadable before its lock", async () => {
  using node = createTuningNode();
  configure(node, "rfs: true");
  node.attach(0, "web-1");
  await passOnce(node.host);
  node.detach(0, "web-1");
  const { files, paths } = node.host;
  const host = interleaved(node, "rfs", async () =>
    files.writeAtomic(`${paths.attachments}/${node.address(1)}.json`, "{"),
  );
  await passOnce(host);
  expect(node.socketFlows()).toBe(32_768);
});
