// Generated environments and configurations: an answer or a coded error, never a crash, and nothing changed on an error.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { runCni } from "../../../cni/run.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const good = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 5,
  vlanQoS: 2,
  mac: "02:00:00:00:00:77",
  mtu: 1400,
  trust: "on",
  ips: ["192.0.2.5/24"],
  routes: [{ dst: "0.0.0.0/0", gw: "192.0.2.1" }],
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
  prevResult: { interfaces: [{ name: "eth0" }], ips: [{ address: "10.0.0.4/24" }] },
  runtimeConfig: {
    mac: "02:00:00:00:00:78",
    ips: ["192.0.2.6/24"],
    "io.kubernetes.cri.pod-annotations": { a: "b" },
  },
  args: { cni: { mac: "02:00:00:00:00:79" } },
  networks: [{ resource: "sriov/vf" }],
  capabilities: { mac: true },
};
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    "",
    "0000:3b:02.0",
    "on",
    "__proto__",
    "../x",
    0,
    -1,
    4095,
    null,
    [],
    {},
    "192.0.2.0/24",
    "\0",
  ),
);
// Mostly right, so that the calls come far.
function mostly<T>(right: T, wrong: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 12, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: wrong });
}

const keys = [...Object.keys(good), "__proto__", "constructor", "vlanQs", "VLAN"];
const config = fc
  .record({
    drop: mostly<string[]>(["networks"], fc.subarray(Object.keys(good))),
    set: mostly<Record<string, unknown>>({}, fc.dictionary(fc.constantFrom(...keys), odd, { maxKeys: 3 })),
  })
  .map(({ drop, set }) => {
    const kept = Object.entries(good).filter(([key]) => !drop.includes(key));
    return JSON.stringify({ ...Object.fromEntries(kept), ...set });
  });
const environment = fc.record({
  CNI_COMMAND: mostly("ADD", fc.constantFrom("DEL", "CHECK", "GC", "STATUS", "VERSION", "x", "")),
  CNI_CONTAINERID: mostly("c1", fc.string({ maxLength: 5 })),
  CNI_NETNS: mostly(
    "/run/netns/web-1",
    fc.oneof(fc.constant("/run/netns/none"), fc.string({ maxLength: 9 })),
  ),
  CNI_IFNAME: mostly("net1", fc.string({ maxLength: 20 })),
  CNI_ARGS: mostly("K8S_POD_UID=u;K8S_POD_NAME=a;K8S_POD_NAMESPACE=b", fc.string({ maxLength: 20 })),
});

interface Outcome {
  readonly exitCode: number;
  readonly answer: { readonly code?: number; readonly msg?: string };
  readonly isChanged: boolean;
}

async function run(node: FakeHost, env: object, stdin: string): Promise<Outcome> {
  const before = node.toText();
  const full = { CNI_PATH: `${node.root}/opt/cni/bin`, ...env };
  const { exitCode, stdout } = await runCni({ environment: full, stdin }, () => node.host);
  const answer = stdout === "" ? {} : (JSON.parse(stdout) as Outcome["answer"]);
  const isChanged = node.toText() !== before;
  const undo = {
    CNI_COMMAND: "DEL",
    CNI_CONTAINERID: "c1",
    CNI_NETNS: "/run/netns/web-1",
    CNI_IFNAME: "net1",
  };
  if (isChanged)
    await runCni({ environment: { ...full, ...undo, ...env, CNI_COMMAND: "DEL" }, stdin }, () => node.host);
  if (node.toText() !== before) throw new Error(`DEL after ${stdin} left ${node.toText()}`);
  return { exitCode, answer, isChanged };
}

test("800 generated calls", async () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  const seen = new Set<number | "given">();
  await fc.assert(
    fc.asyncProperty(
      environment,
      fc.oneof({ weight: 9, arbitrary: config }, { weight: 1, arbitrary: fc.string() }),
      async (env, stdin) => {
        const { exitCode, answer, isChanged } = await run(node, env, stdin);
        seen.add(isChanged ? "given" : (answer.code ?? 0));
        expect(exitCode === 0 || !isChanged).toBe(true);
        expect(answer.msg ?? "ERR_X").toMatch(/^ERR_(?!UNEXPECTED)/);
      },
    ),
    { numRuns: 800, seed: 42 },
  );
  expect([...seen]).toEqual(expect.arrayContaining(["given", 0, 1, 4, 6, 7, 8]));
}, 60_000);
