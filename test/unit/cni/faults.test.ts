// A failure, or a kill -9, at every single host call of ADD and DEL: nothing may be left behind.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni, type TestAnswer, type TestCall } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { withFault, type Fault } from "../../support/faults.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24", routes: [{ dst: "0.0.0.0/0" }] };
const settings = { vlan: 100, vlanQoS: 3, mac: "02:aa:bb:cc:dd:01", mtu: 9000, spoofchk: "off", trust: "on" };
const device = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  ipam,
  ...settings,
};
const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [{ address: "10.0.0.4/24" }] };
const chained = { cniVersion: "1.0.0", name: "cluster", type: "virtfn", prevResult, vlan: 7, ipam };

const picked = { cniVersion: "1.0.0", name: "lan", type: "virtfn", pf: "ens1f0", ipam, ...settings };

const nodeConfig = "pfs: [ens1f0]\nlimits: { sriov/vf: { driver: vfio-pci } }\n";
const { mtu: _none, ...withoutMtu } = device;
const userspace = { ...withoutMtu, driver: "vfio-pci" };

/** Hundreds of nodes are made in one test. */
const slowMs = 120_000;

// What has happened before a call has happened after the one before it: the second case dies in one of the two ways only.
const cases = [
  { name: "with a device", config: device, call: {}, kills: ["killBefore", "killAfter"] },
  { name: "chained with two VFs", config: chained, call: { ifName: "eth0" }, kills: ["killAfter"] },
  { name: "with a driver", config: userspace, call: {}, kills: ["killAfter"] },
  { name: "of a PF", config: picked, call: { ifName: "net1" }, kills: ["killAfter"] },
] as const;

for (const { name, config, call, kills } of cases) {
  test(
    `ADD ${name} that fails at any host call leaves the node and the leases as they were, and names the step`,
    async () => {
      const total = await countCalls(config, async (_node, host) => callCni(host, config, call));
      let failures = 0;
      for (let at = 0; at < total; at += 1) {
        using node = makeNode(config);
        const before = node.toText();
        const answer = await addWith(node, { at, how: "fail" }, config, call);
        if (answer.exitCode === 0) continue;
        failures += 1;
        expect({ at, text: node.toText() }).toEqual({ at, text: before });
        expect({ at, ...answer.json }).toMatchObject({
          at,
          msg: expect.stringMatching(/step "[^"]+": /) as string,
        });
        expect(node.locks.held.size).toBe(0);
        expect({ at, handles: node.kernel.handles.size }).toEqual({ at, handles: 0 });
      }
      expect(failures).toBeGreaterThan(total / 2);
    },
    slowMs,
  );

  for (const how of kills)
    test(
      `ADD ${name} that is killed (${how}) at any host call leaves nothing once DEL was called`,
      async () => {
        const total = await countCalls(config, async (_node, host) => callCni(host, config, call));
        for (let at = 0; at < total; at += 1) {
          using node = makeNode(config);
          const before = node.toText();
          await addWith(node, { at, how }, config, call);
          const deleted = await callCni(node.host, config, { ...call, command: "DEL" });
          expect({ at, ...deleted }).toMatchObject({ at, exitCode: 0 });
          expect({ at, text: node.toText() }).toEqual({ at, text: before });
        }
      },
      slowMs,
    );

  for (const how of ["fail", ...kills] as const)
    test(
      `DEL ${name} that is ended (${how}) at any host call is finished by the next DEL, also when the namespace is gone by then`,
      async () => {
        const total = await countCalls(config, async (node, host) => {
          await callCni(node.host, config, call);
          return callCni(host, config, { ...call, command: "DEL" });
        });
        for (let at = 0; at < total; at += 1)
          for (const isNetnsGone of [false, true]) {
            using node = makeNode(config);
            const before = node.toText();
            await callCni(node.host, config, call);
            await runWith(node, { at, how }, (host) => callCni(host, config, { ...call, command: "DEL" }));
            if (isNetnsGone) node.removeNetns("web-1", 500);
            const second = { ...call, command: "DEL", ...(isNetnsGone ? { netns: "" } : {}) };
            const { prevResult: _gone, ...withoutResult } = config as typeof chained;
            const deleted = await callCni(node.host, isNetnsGone ? withoutResult : config, second);
            expect({ at, ...deleted }).toMatchObject({ at, exitCode: 0 });
            const expected = isNetnsGone ? before.replace(/\/run\/netns\/web-1\n?/, "") : before;
            expect({ at, text: node.toText().trimEnd() }).toEqual({ at, text: expected.trimEnd() });
          }
      },
      slowMs,
    );
}

async function addWith(node: FakeHost, fault: Fault, config: object, call: TestCall): Promise<TestAnswer> {
  return runWith(node, fault, (host) => callCni(host, config, call));
}

async function runWith(
  node: FakeHost,
  fault: Fault,
  run: (host: Host) => Promise<TestAnswer>,
): Promise<TestAnswer> {
  const faulty = withFault(node.host, fault);
  const answer = await run(faulty.host);
  if (fault.how !== "fail") node.endProcess();
  return answer;
}

async function countCalls(
  config: object,
  run: (node: FakeHost, host: Host) => Promise<TestAnswer>,
): Promise<number> {
  using node = makeNode(config);
  const counted = withFault(node.host);
  const answer = await run(node, counted.host);
  expect(answer.json ?? {}).not.toHaveProperty("msg");
  expect(answer.exitCode).toBe(0);
  return counted.calls.length;
}

function makeNode(config: object): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 3 }]);
  node.addNetns("web-1");
  node.host.files.writeAtomic(node.host.paths.nodeConfig, nodeConfig);
  for (const vf of ["ens1f0v1", "ens1f0v2"]) {
    const queues = `${node.root}/sys/class/net/${vf}/queues`;
    node.host.files.writeText(`${queues}/rx-0/rps_cpus`, "0c\n");
    node.host.files.writeText(`${queues}/tx-0/xps_cpus`, "ff\n");
  }
  if (!("pf" in config)) node.allocate("uid-web-1", { app: ["0000:3b:02.2", "0000:3b:02.1"] });
  return node;
}
