// What virtfn-cni loads at its start: every module there is paid for at every pod's start and every kubelet poll.

import { expect, test } from "vitest";

import { listBuiltins, listModules, readBundle } from "../../support/bundle-modules.ts";

// Milliseconds at start, measured beside an empty executable of 5 ms.
const forbidden = {
  "@grpc/grpc-js": "13.7 ms: only kubelet/pod-resources.ts, imported lazily where the checkpoint is missing",
  "@bufbuild/protobuf": "part of gRPC's messages: only behind kubelet/pod-resources.ts",
  "@kubernetes/client-node": "22.7 ms: the CNI asks no API server",
  execa: "12.5 ms: programs are run through host/exec.ts",
  pino: "8.5 ms: the CNI writes its few lines itself",
  "prom-client": "the CNI has no metrics",
  yaml: "the CNI reads JSON only",
  zod: "10 ms: valibot is the schema library",
} as const;

function listForbidden(modules: readonly string[]): readonly string[] {
  return Object.entries(forbidden)
    .filter(([name]) => modules.some((module) => module.includes(`node_modules/${name}/`)))
    .map(([name, reason]) => `${name}: ${reason}`);
}

const outputs = await readBundle("cni/main.ts");

test("neither the start, nor what a verb loads, holds a module that costs milliseconds", () => {
  const start = ["cni/main.ts", "cni/whole-process.ts", "cni/run.ts", "host/stdin.ts"].flatMap((source) =>
    listModules(outputs, source),
  );
  const podVerb = listModules(outputs, "cni/run-pod-verb.ts");
  const host = listModules(outputs, "host/create-host.ts");
  const add = listModules(outputs, "cni/add.ts");
  const del = listModules(outputs, "cni/delete.ts");
  const others = ["check", "gc", "status"].map((verb) => listModules(outputs, `cni/${verb}.ts`));
  expect(others.every((modules) => modules.some((module) => module.endsWith("cni/request.ts")))).toBe(true);
  expect(listForbidden([...start, ...podVerb, ...host, ...add, ...del, ...others.flat()])).toEqual([]);
  expect(add.some((module) => module.endsWith("sriov/vf-move.ts"))).toBe(true);
  expect(podVerb.some((module) => module.includes("node_modules/valibot/"))).toBe(true);
  expect(host.some((module) => module.endsWith("host/libc.ts"))).toBe(true);
});

// VERSION, the ADD of a pod without a device, and STATUS load nothing else: neither schemas nor errors, nor the host.
test("what is answered quickly is answered by these modules alone, without node:fs", () => {
  const start = listModules(outputs, "cni/main.ts");
  expect(start.filter((module) => module.includes("node_modules/"))).toEqual([]);
  expect(start.map((module) => module.replace(/^.*?(?=(?:cni|host|sriov|kubelet)\/)/, "")).toSorted())
    .toMatchInlineSnapshot(`
    [
      "cni/answer-quickly.ts",
      "cni/config-keys.ts",
      "cni/first-entry.ts",
      "cni/main.ts",
      "cni/pass-on.ts",
      "cni/plain-status.ts",
      "cni/pod-arguments.ts",
      "cni/process.ts",
      "cni/spoken-versions.ts",
      "cni/variables.ts",
      "host/node-reader.ts",
      "host/reader-paths.ts",
      "host/stdin-start.ts",
      "kubelet/checkpoint-pods.ts",
      "sriov/released-boot.ts",
    ]
  `);
  expect([...new Set(listBuiltins(outputs, "cni/main.ts"))]).toEqual(["bun:ffi"]);
});

test("a STATUS that needs the schemas, and has nothing to say, loads neither node:fs nor the host", () => {
  const sources = ["cni/whole-process.ts", "cni/run.ts", "cni/status.ts"];
  const builtins = sources.flatMap((source) => listBuiltins(outputs, source));
  expect([...new Set(builtins)]).toEqual(["path"]);
  const modules = sources.flatMap((source) => listModules(outputs, source));
  expect(modules.filter((module) => /host\/(?:create-host|files|libc)\.ts$/.test(module))).toEqual([]);
});

// node:crypto would cost 1.5 ms: Bun.CryptoHasher and the global crypto need no module.
test("of the runtime's own modules an ADD and a DEL load the cheap ones only", () => {
  const sources = [
    "cni/whole-process.ts",
    "cni/run.ts",
    "host/stdin.ts",
    "host/create-host.ts",
    "cni/run-pod-verb.ts",
    "cni/add.ts",
    "cni/delete.ts",
  ];
  const builtins = sources.flatMap((source) => listBuiltins(outputs, source));
  expect([...new Set(builtins)].toSorted()).toEqual(["bun:ffi", "fs", "path", "timers/promises"]);
});

test("gRPC is there, behind the lazy import only", () => {
  expect(listForbidden(listModules(outputs, "kubelet/pod-resources.ts"))).toContain(
    `@grpc/grpc-js: ${forbidden["@grpc/grpc-js"]}`,
  );
});
