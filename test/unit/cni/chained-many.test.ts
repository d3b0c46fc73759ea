// Several VFs of one pod, chained: what is done once for all of them, at once, or one after the other.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { withFault } from "../../support/faults.ts";

const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [] };
const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = {
  cniVersion: "1.0.0",
  name: "cluster",
  type: "virtfn",
  prevResult,
  networks: [{ vlan: 7, ipam }],
};
const chained = { ifName: "eth0" };

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  return node;
}

test("the IPAM plugins of a pod's VFs run at once, each under its interface's name; links are changed one after the other", async () => {
  using node = makeNode();
  const vfs = ["0000:3b:02.0", "0000:3b:02.1", "0000:3b:02.2"];
  node.allocate("uid-web-1", { app: vfs });
  const all = Promise.withResolvers<void>();
  const names: unknown[] = [];
  const run: Host["exec"]["run"] = async (request) => {
    names.push(request.env["CNI_IFNAME"]);
    if (names.length === vfs.length) all.resolve();
    await all.promise;
    return await node.host.exec.run(request);
  };
  const { host, calls } = withFault({ ...node.host, exec: { run } });
  expect((await callCni(host, config, chained)).exitCode).toBe(0);
  expect(names).toEqual(["net1", "net2", "net3"]);
  const links = calls.filter((call) => /\.(?:moveLink|addAddress)$/.test(call));
  expect(links.map((call) => call.split(".").at(-1))).toEqual(vfs.flatMap(() => ["moveLink", "addAddress"]));
});

test("a pod with many VFs has the kubelet's checkpoint read no more often than one with a single VF", async () => {
  const counts: number[] = [];
  for (const app of [["0000:3b:02.0"], ["0000:3b:02.0", "0000:3b:02.1", "0000:3b:02.2", "0000:3b:02.3"]]) {
    using node = makeNode();
    node.allocate("uid-web-1", { app });
    let count = 0;
    const readText: Host["files"]["readText"] = (path) => {
      if (path === node.host.paths.kubelet.checkpoint) count += 1;
      return node.host.files.readText(path);
    };
    const host = { ...node.host, files: { ...node.host.files, readText } };
    expect((await callCni(host, config, chained)).json?.["interfaces"]).toHaveLength(1 + app.length);
    counts.push(count);
  }
  expect(counts[0]).toBeGreaterThan(0);
  expect(counts[1]).toBe(counts[0]);
});
