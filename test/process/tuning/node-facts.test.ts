// Who has which CPUs, as the kubelet tells over gRPC, and what is known while it or a file can't be read.

import { dirname, join } from "node:path";

import { status } from "@grpc/grpc-js";
import { pino } from "pino";
import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { writeAdvertisedPools } from "../../../sriov/advertised-pools.ts";
import { parseResourceRules } from "../../../sriov/resource-rules.ts";
import { readTopology } from "../../../sriov/topology.ts";
import { choosePolicy } from "../../../sriov/tuning-policy.ts";
import { createNodeFactsReader, type NodeFacts } from "../../../tuning/node-facts.ts";
import { createMetrics } from "../../../tuning/metrics.ts";
import { reconcile } from "../../../tuning/reconciler.ts";
import { servePodResources } from "../../support/serve-pod-resources.ts";
import { startLoop } from "../../support/tuning-loop.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { beforeNextLookMs, waitFor } from "../../support/wait-for.ts";

/** A kubelet with the static CPU manager: CPUs 0 and 4 are reserved, pod shop/web has two of the others. `when`: it tells of pods. */
async function serve(
  node: TuningNode,
  when: (answer: () => void) => void = (answer) => answer(),
): Promise<Disposable> {
  const container = { devices: [], memory: [], dynamicResources: [] };
  const podResources = [
    {
      namespace: "shop",
      name: "web",
      containers: [
        { ...container, name: "app", cpuIds: [3, 2] },
        { ...container, name: "side", cpuIds: [] },
      ],
    },
    { namespace: "shop", name: "shared", containers: [{ ...container, name: "app", cpuIds: [] }] },
  ];
  return servePodResources(node.host.paths.kubelet.podResourcesSocket, {
    list: (_call, done) => when(() => done(null, { podResources })),
    getAllocatableResources: (_call, done) =>
      done(null, { devices: [], cpuIds: [1, 2, 3, 5, 6, 7], memory: [] }),
    get: (_call, done) => done({ code: status.UNIMPLEMENTED }),
  });
}

function makeReader(node: TuningNode): () => Promise<NodeFacts> {
  // gRPC's deadlines are of the real clock.
  const host: Host = { ...node.host, clock: { ...node.host.clock, nowMs: () => Date.now() } };
  const read = createNodeFactsReader(host);
  return async () => read(() => readTopology(host));
}

test("exclusive CPUs by pod, and as housekeeping CPUs those that the kubelet never hands out", async () => {
  using node = createTuningNode();
  using _kubelet = await serve(node);
  const { exclusive, housekeeping, problems } = await makeReader(node)();
  expect(problems).toEqual([]);
  expect([...exclusive]).toEqual([["shop/web", [2, 3]]]);
  expect(housekeeping).toEqual([0, 4]);
});

test("while the kubelet starts again its pods keep their CPUs", async () => {
  using node = createTuningNode();
  const read = makeReader(node);
  {
    using _kubelet = await serve(node);
    await read();
  }
  expect(node.host.files.stat(node.host.paths.kubelet.podResourcesSocket)).toBeUndefined();
  const { exclusive, housekeeping, problems } = await read();
  expect({ pods: [...exclusive.keys()], housekeeping, problems }).toEqual({
    pods: ["shop/web"],
    housekeeping: [0, 4],
    problems: [],
  });
});

test("a kubelet that can't tell is a problem, and counts as it told last", async () => {
  using node = createTuningNode();
  const read = makeReader(node);
  {
    using _kubelet = await serve(node);
    await read();
  }
  using _kubelet = await servePodResources(node.host.paths.kubelet.podResourcesSocket, {
    list: (_call, done) => done({ code: status.INTERNAL }),
    getAllocatableResources: (_call, done) => done({ code: status.INTERNAL }),
    get: (_call, done) => done({ code: status.INTERNAL }),
  });
  const { exclusive, problems } = await read();
  expect([...exclusive.keys()]).toEqual(["shop/web"]);
  expect(problems).toMatchObject([{ vf: "node", about: "kubelet", code: "ERR_POD_RESOURCES" }]);
});

test("a daemon that starts while the kubelet can't tell goes by what it told the one before", async () => {
  using node = createTuningNode();
  {
    using _kubelet = await serve(node);
    const stop = new AbortController();
    const clock = { ...node.host.clock, nowMs: () => Date.now() };
    const host = { ...node.host, clock, uevents: { subscribe: () => ({ [Symbol.dispose]: () => {} }) } };
    const options = { log: pino({ level: "silent" }), metrics: createMetrics(host), signal: stop.signal };
    await reconcile(host, { ...options, onPass: () => stop.abort() });
  }
  using _kubelet = await servePodResources(node.host.paths.kubelet.podResourcesSocket, {
    list: (_call, done) => done({ code: status.INTERNAL }),
    getAllocatableResources: (_call, done) => done({ code: status.INTERNAL }),
    get: (_call, done) => done({ code: status.INTERNAL }),
  });
  const { exclusive, housekeeping, problems } = await makeReader(node)();
  expect([...exclusive]).toEqual([["shop/web", [2, 3]]]);
  expect(housekeeping).toEqual([0, 4]);
  expect(problems).toMatchObject([{ vf: "node", about: "kubelet", code: "ERR_POD_RESOURCES" }]);
});

test("a kubelet that hangs is waited for once, and asked beside until it answers", async () => {
  using node = createTuningNode();
  const held: (() => void)[] = [];
  let isHanging = true;
  using _kubelet = await serve(node, (answer) => (isHanging ? void held.push(answer) : answer()));
  const clock = { ...node.host.clock, nowMs: () => Date.now(), monotonicMs: () => performance.now() };
  const answers = Promise.withResolvers<void>();
  const reader = createNodeFactsReader({ ...node.host, clock }, answers.resolve);
  const read = async (): Promise<NodeFacts> => reader(() => readTopology(node.host));
  const problem = { vf: "node", about: "kubelet", code: "ERR_POD_RESOURCES" };
  expect((await read()).problems).toMatchObject([problem]);
  const startedMs = performance.now();
  for (let look = 0; look < 3; look += 1) expect((await read()).problems).toMatchObject([problem]);
  expect(performance.now() - startedMs).toBeLessThan(500);
  while (held.length < 2) await new Promise(setImmediate);
  isHanging = false;
  for (const answer of held) answer();
  await answers.promise;
  const { exclusive, problems } = await read();
  expect([...exclusive]).toEqual([["shop/web", [2, 3]]]);
  expect(problems).toEqual([]);
});

test("pins follow the CPUs of a pod that runs, as soon as the kubelet wrote down other ones", async () => {
  using node = createTuningNode(1);
  let cpuIds = [2];
  const container = { name: "app", devices: [], memory: [], dynamicResources: [] };
  const socket = node.host.paths.kubelet.podResourcesSocket;
  const state = join(dirname(dirname(socket)), "cpu_manager_state");
  const pod = (name: string, cpus: readonly number[]) => ({
    namespace: "shop",
    name,
    containers: [{ ...container, cpuIds: [...cpus] }],
  });
  using _kubelet = await servePodResources(socket, {
    list: (_call, done) => done(null, { podResources: [pod("web-1", cpuIds)] }),
    getAllocatableResources: (_call, done) => done(null, { devices: [], cpuIds: [1, 2, 3], memory: [] }),
    get: (_call, done) => done({ code: status.UNIMPLEMENTED }),
  });
  node.host.files.writeAtomic(state, '{"entries":{"uid-of-web-1":{"app":"2"}}}');
  node.attach(0, "web-1", (record) => ({ ...record, tuning: { policy: "follow-pod" } }));
  const loop = startLoop(node);
  await waitFor("the pins on the pod's CPU", () => node.affinities(0) === "2 2 0");
  cpuIds = [1, 3];
  node.host.files.writeAtomic(state, '{"entries":{"uid-of-web-1":{"app":"1,3"}}}');
  await waitFor("the pins on its CPUs of now", () => node.affinities(0) === "1 1 0", beforeNextLookMs);
  await loop.end();
  expect(loop.lines.map(({ msg }) => msg)).not.toContain("found pins undone");
});

test("housekeeping CPUs of node.yaml go before what the kubelet tells", async () => {
  using node = createTuningNode();
  using _kubelet = await serve(node);
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "tuning: { housekeepingCpus: 1 }");
  expect((await makeReader(node)()).housekeeping).toEqual([1]);
});

test("without a kubelet every CPU is for housekeeping, and the pools tell the resources", async () => {
  using node = createTuningNode();
  writeAdvertisedPools(node.host, new Map([["sriov/fast", [node.address(1)]]]));
  const { housekeeping, resourceOf } = await makeReader(node)();
  expect(housekeeping).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(resourceOf).toEqual(new Map([[node.address(1), "sriov/fast"]]));
});

test("what the configuration of a resource says of tuning counts from the pools, until they say otherwise", async () => {
  using node = createTuningNode();
  const read = makeReader(node);
  const write = (tuning: object): void => {
    const { rules } = parseResourceRules({ limits: undefined, tuning }, "");
    const details = { unhealthy: new Map(), leftOut: new Map(), rules: new Map([["sriov/fast", rules]]) };
    writeAdvertisedPools(node.host, new Map([["sriov/fast", [node.address(1)]]]), details);
  };
  const policyOf = async (): Promise<string> => {
    const { config, resourceOf } = await read();
    return choosePolicy(config, {}, resourceOf.get(node.address(1))).policy;
  };
  write({ policy: "housekeeping" });
  expect(await policyOf()).toBe("housekeeping");
  write({ policy: "none" });
  expect(await policyOf()).toBe("none");
  node.host.files.writeAtomic(
    node.host.paths.nodeConfig,
    "tuning: {resources: {sriov/fast: {policy: dedicated}}}",
  );
  expect(await policyOf()).toBe("dedicated");
});

test("a node.yaml that became wrong counts as it was; one that never was right is an error", async () => {
  using node = createTuningNode();
  const read = makeReader(node);
  await read();
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "tuning: [");
  expect((await read()).problems).toMatchObject([
    { vf: "node", about: "node.yaml", code: "ERR_NODE_CONFIG" },
  ]);
  await expect(makeReader(node)()).rejects.toThrow("node.yaml");
});
