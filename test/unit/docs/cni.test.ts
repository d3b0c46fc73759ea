// The configurations in docs/cni.md are configurations.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

import { parseConfig, parseInput } from "../../../cni/config.ts";
import { keySources, type Source } from "../../../cni/config-sources.ts";
import { networkPolicies } from "../../../sriov/network-entries.ts";

const root = resolve(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/cni.md"), "utf8");
const noPod = { pod: undefined, uid: undefined, values: {} };

interface PluginList {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins?: readonly { readonly type: string }[];
}

// As the CNI library does: name and version of a list go into each of its plugins.
function configurationsOf(text: string): readonly object[] {
  const { plugins, ...single } = parseInput(text) as PluginList;
  const { name, cniVersion } = single;
  const ours = plugins
    ?.filter(({ type }) => type === "virtfn")
    .map((plugin) => Object.assign({ name, cniVersion }, plugin));
  return ours ?? [single];
}

test("every JSON block is taken as it stands", () => {
  const configurations = [...page.matchAll(/```json\n(.*?)```/gs)].flatMap(([, text]) =>
    configurationsOf(String(text)),
  );
  expect(configurations).toHaveLength(7);
  for (const configuration of configurations)
    expect(parseConfig(configuration, noPod).networks).toHaveLength(1);
});

/** The rows of the tables of keys: the keys, and the example as an object. */
const rows = page
  .split("\n")
  .map((line) => line.split(" | "))
  .filter(([keys = "", example = ""]) => keys.startsWith("| `") && example.startsWith('`"'))
  .map(([keys = "", example = ""]) => ({
    keys: [...keys.matchAll(/`(\w+)`/g)].map(([, key]) => String(key)),
    example: JSON.parse(`{${example.slice(1, -1)}}`) as Record<string, unknown>,
  }));

test("every key of the schema has a row", () => {
  const schema = JSON.parse(readFileSync(join(root, "docs/network.schema.json"), "utf8")) as {
    properties: object;
  };
  const named = new Set(rows.flatMap(({ keys }) => keys));
  expect(Object.keys(schema.properties).filter((key) => !named.has(key))).toEqual([]);
  expect([...named].filter((key) => !Object.hasOwn(schema.properties, key))).toEqual([]);
});

test.each(rows)("the example of $keys has the keys, and is right", ({ keys, example }) => {
  const text = JSON.stringify(example);
  for (const key of keys) expect(text).toContain(`"${key}":`);
  const isWhole = "networks" in example || "pf" in example;
  const rest = isWhole ? {} : { deviceID: "0000:3b:02.1" };
  const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", ...rest, ...example };
  expect(parseConfig(config, noPod).networks.length).toBeGreaterThan(0);
});

/** A place as the table of places has it. */
function describeSource({ place, key }: Source): string {
  switch (place) {
    case "file":
      return "the file";
    case "CNI_ARGS":
      return `\`${key}\` in \`CNI_ARGS\``;
    case "annotation":
      return `the pod's annotation \`${key}\``;
    case "runtimeConfig":
    case "args.cni":
      return `\`${place}.${key}\``;
  }
}

test("the table of places has every key that may come from elsewhere, and the places in the order in which they win", () => {
  const [, table = ""] = page.split("### Where a key may come from");
  const shown = [...(table.split("\n## ")[0] ?? "").matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(
    ([, key, places]) => [key, String(places).split(". ")[0]],
  );
  const expected = [...keySources]
    .filter(([, sources]) => sources.length > 1)
    .map(([key, sources]) => [
      key,
      sources
        .map(describeSource)
        .join(", ")
        .replace(/^(\S+), the file$/, "$1, then the file"),
    ]);
  expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(expected));
});

test("the examples show every key of routes and rings, and every policy is named", () => {
  const text = JSON.stringify(rows.map(({ example }) => example));
  const inside = ["dst", "gw", "mtu", "advmss", "priority", "table", "scope", "rx", "tx"];
  expect(inside.filter((key) => !text.includes(`"${key}":`))).toEqual([]);
  expect(networkPolicies.filter((policy) => !page.includes(`\`${policy}\``))).toEqual([]);
});
