// bench:network with the node under test and two clients as processes of their own, in namespaces that stand for machines.

import { afterAll, expect, test } from "vitest";

import type { Results } from "../../bench/network/results.ts";
import {
  createFolder,
  createNode,
  smallBench,
  startBench,
  whyNoNetperf,
} from "../../support/bench-process.ts";
import { findNetperf } from "../../support/netperf-folder.ts";
import { createTestNetns } from "../../support/netns.ts";
import { waitFor } from "../../support/wait-for.ts";

const netperf = findNetperf();
afterAll(() => netperf[Symbol.dispose]());

const nodeAddress = "192.0.2.1";

/** Three machines: each has `nic` on one switch, and `ctl` with an address on another. */
function createMachines() {
  const stack = new DisposableStack();
  const wires = stack.use(createTestNetns());
  for (const name of ["data", "control"]) {
    wires.ip(`link add ${name} type bridge`);
    wires.ip(`link set ${name} up`);
  }
  const [node, first, second] = [0, 1, 2].map((at) => {
    const machine = stack.use(createNode());
    for (const [link, bridge] of [
      ["nic", "data"],
      ["ctl", "control"],
    ] as const) {
      const plug = `${link}${at}`;
      wires.ip(`link add ${plug} type veth peer name ${link} netns ${machine.name}`);
      wires.ip(`link set ${plug} master ${bridge} up`);
    }
    machine.ip(`address add 192.0.2.${at + 1}/24 dev ctl`);
    for (const link of ["lo", "ctl"]) machine.ip(`link set ${link} up`);
    return machine;
  });
  if (node === undefined || first === undefined || second === undefined) throw new Error("three machines");
  return { node, clients: [first, second], [Symbol.dispose]: () => stack.dispose() };
}

type Machines = ReturnType<typeof createMachines>;

function start({ node, clients }: Machines, out: string, variants: string) {
  const server = ["--role", "server", "--pf", "nic", "--clients", "2", "--variants", variants];
  const client = ["--role", "client", "--pf", "nic", "--server", nodeAddress];
  return {
    bench: startBench(netperf, node, [...server, "--tests", "TCP_RR", ...smallBench, "--json", "--out", out]),
    clients: clients.map((machine) => waitForPort(node).then(() => startBench(netperf, machine, client))),
  };
}

async function waitForPort(node: Machines["node"]): Promise<void> {
  await waitFor("the port", () => node.run(["ss", "-H", "-tln", "sport = :7715"]) !== "", 60_000);
}

function lookAll({ node, clients }: Machines): readonly string[] {
  return [node, ...clients].map((machine) => machine.look());
}

test("two clients share the namespaces out, their work is one sum, and all three machines are as they were", async ({
  skip,
}) => {
  skip(netperf.path === undefined, whyNoNetperf);
  using machines = createMachines();
  using folder = createFolder("virtfn-bench-");
  const before = lookAll(machines);
  const { bench, clients } = start(machines, folder.path, "host,veth-bridge");
  const ends = await Promise.all(clients.map(async (client) => (await client).said));
  const [stdout, stderr, exitCode] = await bench.said;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(ends.map(([, said, code]) => [code, said])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  const { label, left, measurements } = JSON.parse(stdout) as Results;
  expect({ label, left }).toEqual({ label: "no hardware, functional only", left: [] });
  expect(measurements.map(({ variant }) => variant).toSorted()).toEqual(["host", "veth-bridge"]);
  for (const { processes, rate, packetsPerSecond } of measurements) {
    expect(processes).toBe(4);
    // How many packets a transaction has is held with one client, which has the machine for itself.
    expect(rate).toBeGreaterThan(0);
    expect(packetsPerSecond).toBeGreaterThan(0);
  }
  expect(lookAll(machines)).toEqual(before);
});

test("when the node under test is ended its clients end too, and put their interfaces back", async ({
  skip,
}) => {
  skip(netperf.path === undefined, whyNoNetperf);
  using machines = createMachines();
  using folder = createFolder("virtfn-bench-");
  const before = lookAll(machines);
  const { bench, clients } = start(machines, folder.path, "veth-bridge");
  await waitFor("the bridge", () => machines.node.look().includes("vbench-br"), 60_000);
  bench.child.kill("SIGINT");
  const [, stderr, exitCode] = await bench.said;
  expect([exitCode, stderr]).toEqual([130, expect.stringContaining("interrupted by SIGINT")]);
  await Promise.all(clients.map(async (client) => (await client).said));
  expect(lookAll(machines)).toEqual(before);
});
