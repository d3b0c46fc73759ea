// Receive flow steering on the real kernel: a queue's flows in another network namespace, and the node's table.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { countQueueFlows } from "../../../sriov/rfs.ts";
import { restoreRfsTable, settleRfsTable } from "../../../tuning/rfs-table.ts";
import { openQueues } from "../../../tuning/vf-queues.ts";
import { createTestNetns } from "../../support/netns.ts";

const table = "/proc/sys/net/core/rps_sock_flow_entries";

test("a queue keeps the flows that it is given", () => {
  using netns = createTestNetns();
  netns.ip("link add veth0 numrxqueues 2 type veth peer name veth1");
  const { namespaces } = createHost();
  using handle = namespaces.open(netns.path);
  if (handle === undefined) throw new Error(`cannot open ${netns.path}`);
  using queues = openQueues(namespaces.openSysfs(handle), "veth0");
  const [first, second] = queues.readValues();
  expect(first).toEqual({ path: "queues/rx-0/rps_flow_cnt", text: "0" });
  expect(second?.path).toBe("queues/rx-1/rps_flow_cnt");
  const flows = String(countQueueFlows(2));
  expect(queues.writeValue("queues/rx-1/rps_flow_cnt", flows)).toBe(flows);
  expect(queues.writeValue("queues/rx-1/rps_flow_cnt", "0")).toBe("0");
});

test("the table grows for its users and is as it was without them", async () => {
  const before = fs.readFileSync(table, "utf8");
  const folder = fs.mkdtempSync(join(tmpdir(), "virtfn-rfs-"));
  const real = createHost();
  const own = createHost({ root: folder });
  const host = { ...own, paths: { ...own.paths, proc: real.paths.proc } };
  try {
    expect(await settleRfsTable(host, { seen: 2, count: () => 2 }, 1000)).toMatchObject({
      result: "done",
      problems: [],
    });
    expect(Number(fs.readFileSync(table, "utf8"))).toBeGreaterThanOrEqual(65_536);
    expect(await restoreRfsTable(host, 1000)).toMatchObject({ result: "done", problems: [] });
    expect(fs.readFileSync(table, "utf8")).toBe(before);
    expect(fs.existsSync(join(folder, "run/virtfn/tuning/rfs.json"))).toBe(false);
  } finally {
    fs.writeFileSync(table, before);
    fs.rmSync(folder, { recursive: true });
  }
});
