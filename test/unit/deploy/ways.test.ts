// The complete manifests of the ways to use virtfn: every file is used, and right as `virtfn validate` sees it.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { expect, test } from "vitest";
import { parse } from "yaml";

import { validateText } from "../../../cli/validate/validate-text.ts";

const ways = resolve(import.meta.dirname, "../../../deploy/examples/ways");
const base = resolve(ways, "../../kustomize/base/daemonset.yaml");
const page = readFileSync(resolve(ways, "../../../docs/cni.md"), "utf8");

/** What the files of each way are, but for the objects that the API server knows by itself. */
const expected: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  multus: { "network.yaml": 'NetworkAttachmentDefinition "blue"' },
  chained: { "chained.yaml": "chained entry" },
  "only-network": { "00-virtfn.conflist": 'plugin list "lan"', "node.yaml": "node.yaml" },
  "without-device-plugin": { "chained.yaml": "chained entry", "node.yaml": "node.yaml" },
};

const kustomizationSchema = v.object({
  resources: v.array(v.string()),
  configMapGenerator: v.optional(
    v.array(
      v.object({ name: v.string(), namespace: v.literal("virtfn-system"), files: v.array(v.string()) }),
    ),
    [],
  ),
  patches: v.optional(v.array(v.object({ patch: v.string() })), []),
});

function read(...path: readonly string[]): string {
  return readFileSync(join(ways, ...path), "utf8");
}

function readKustomization(way: string): v.InferOutput<typeof kustomizationSchema> {
  return v.parse(kustomizationSchema, parse(read(way, "kustomization.yaml")));
}

const names = Object.keys(expected);

test("every way has a folder, and a link in docs/cni.md", () => {
  expect(readdirSync(ways).toSorted()).toEqual([...names, "node-files"].toSorted());
  expect(names.filter((way) => !page.includes(`(../deploy/examples/ways/${way}/`))).toEqual([]);
});

test.each(names)("%s: every file is named in its kustomization, and everything named is there", (way) => {
  const { resources, configMapGenerator } = readKustomization(way);
  const named = [...resources, ...configMapGenerator.flatMap(({ files }) => files)];
  expect(named.filter((path) => !existsSync(join(ways, way, path)))).toEqual([]);
  const files = readdirSync(join(ways, way)).filter((file) => file !== "kustomization.yaml");
  expect(files.filter((file) => !named.includes(file))).toEqual([]);
});

test.each(names)("%s: what virtfn reads is right", (way) => {
  const files = Object.entries(expected[way] ?? {});
  for (const [file, kind] of files)
    expect(validateText(file, read(way, file), { prefix: "sriov" })).toEqual({
      file,
      documents: [kind],
      problems: [],
    });
});

test.each(names)(
  "%s: a pod of its name, which ends at SIGTERM, asks for a VF where the kubelet gives them",
  (way) => {
    const pod = parse(read(way, "pod.yaml")) as { metadata: { name: string }; spec: unknown };
    expect(pod.metadata.name).toBe(`way-${way}`);
    const text = JSON.stringify(pod.spec);
    expect(text).toContain("trap 'exit 0' TERM");
    const hasDevicePlugin = readKustomization(way).patches.length === 0;
    expect(text.includes('"limits":{"sriov/vf":1}')).toBe(hasDevicePlugin);
  },
);

test("where the CNI picks VFs no device plugin offers them", () => {
  const { spec } = parse(readFileSync(base, "utf8")) as {
    spec: { template: { spec: { containers: { name: string }[] } } };
  };
  for (const way of ["only-network", "without-device-plugin"]) {
    const patches = readKustomization(way).patches.map(
      ({ patch }) => parse(patch) as typeof spec & { spec: typeof spec },
    );
    const deleted = patches.flatMap((patch) => patch.spec.template.spec.containers);
    expect(deleted).toEqual([{ name: "deviceplugin", $patch: "delete" }]);
    expect(spec.template.spec.containers.map(({ name }) => name)).toContain("deviceplugin");
  }
});
