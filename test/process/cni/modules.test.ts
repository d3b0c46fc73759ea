// What virtfn-cni loads at its start: every module there is paid for at every pod's start and every kubelet poll.

import { resolve } from "node:path";
import { expect, test } from "vitest";

interface Output {
  readonly entryPoint?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
}

const root = resolve(import.meta.dirname, "../../..");

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

async function readOutputs(): Promise<Readonly<Record<string, Output>>> {
  const options = {
    entrypoints: [resolve(root, "cni/main.ts")],
    target: "bun",
    format: "esm",
    splitting: true,
    metafile: true,
  } satisfies Parameters<typeof Bun.build>[0] & { readonly metafile: boolean };
  const build = await Bun.build(options);
  return (build as unknown as { readonly metafile: { readonly outputs: Record<string, Output> } }).metafile
    .outputs;
}

/** Modules of the chunk made for `source`, and of those that it imports at once. */
function listModules(outputs: Readonly<Record<string, Output>>, source: string): readonly string[] {
  const start = Object.entries(outputs).find(([, output]) => output.entryPoint?.endsWith(source) === true);
  const waiting = [start?.[0] ?? ""];
  const seen = new Set<string>();
  for (const name of waiting) {
    const output = outputs[name];
    if (output === undefined || seen.has(name)) continue;
    seen.add(name);
    waiting.push(...output.imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path));
  }
  return [...seen].flatMap((name) => Object.keys(outputs[name]?.inputs ?? {}));
}

function listForbidden(modules: readonly string[]): readonly string[] {
  return Object.entries(forbidden)
    .filter(([name]) => modules.some((module) => module.includes(`node_modules/${name}/`)))
    .map(([name, reason]) => `${name}: ${reason}`);
}

const outputs = await readOutputs();

test("neither the start, nor what a verb loads, holds a module that costs milliseconds", () => {
  const start = listModules(outputs, "cni/main.ts");
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

test("VERSION loads neither the schemas nor the host", () => {
  const start = listModules(outputs, "cni/main.ts");
  expect(start.filter((module) => module.includes("node_modules/"))).toEqual([]);
  expect(start.map((module) => module.replace(/^.*?(?=(?:cni|host|sriov|kubelet)\/)/, "")).toSorted())
    .toMatchInlineSnapshot(`
    [
      "cni/environment.ts",
      "cni/errors.ts",
      "cni/main.ts",
      "cni/run.ts",
      "cni/version.ts",
      "host/errors.ts",
      "sriov/errors.ts",
      "sriov/vf-errors.ts",
    ]
  `);
});

test("gRPC is there, behind the lazy import only", () => {
  expect(listForbidden(listModules(outputs, "kubelet/pod-resources.ts"))).toContain(
    `@grpc/grpc-js: ${forbidden["@grpc/grpc-js"]}`,
  );
});
