// The configurations in docs/cni.md are configurations.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

import { parseConfig, parseInput } from "../../../cni/config.ts";
import { networkEntries } from "../../../sriov/network-entries.ts";

const page = readFileSync(join(resolve(import.meta.dirname, "../../.."), "docs/cni.md"), "utf8");
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
  expect(configurations).toHaveLength(5);
  for (const configuration of configurations)
    expect(parseConfig(configuration, noPod).networks).toHaveLength(1);
});

test("every key of a network has its row", () => {
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  const named = new Set(
    rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, key]) => key)),
  );
  expect(Object.keys(networkEntries).filter((key) => !named.has(key))).toEqual([]);
});
