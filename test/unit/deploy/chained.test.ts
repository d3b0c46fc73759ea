// The lab's chained entry, and the one of the README, as the CNI plugin reads them.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { planConflist } from "../../../cli/install-cni/conflist.ts";
import { readEntryFile } from "../../../cli/install-cni/entry-file.ts";
import { parseConfig } from "../../../cni/config.ts";
import { parsePodArguments } from "../../../cni/pod-arguments.ts";
import { supportedVersions } from "../../../cni/spoken-versions.ts";
import { createFiles } from "../../../host/files.ts";

const root = resolve(import.meta.dirname, "../../..");
const overlay = join(root, "deploy/kustomize/overlays/lab/chained.yaml");
const readme =
  /```yaml\n# chained.yaml.*?\n(.*?)```/s.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1] ?? "";

test.each([
  ["of the lab", readEntryFile({ files: createFiles() }, overlay)],
  ["of the README", parse(readme) as Record<string, unknown>],
  ["without settings", undefined],
])("the chained entry %s is a configuration that the CNI plugin understands", (_name, settings) => {
  const list = '{"cniVersion":"1.0.0","name":"cluster","plugins":[{"type":"bridge"}]}';
  const planned = planConflist(list, { type: "virtfn", supported: supportedVersions, settings });
  const text = planned.kind === "write" ? planned.text : "";
  const { cniVersion, name, plugins } = JSON.parse(text) as {
    cniVersion: string;
    name: string;
    plugins: object[];
  };
  const config = parseConfig({ ...plugins[1], cniVersion, name }, parsePodArguments(""));
  expect(config.networks).toHaveLength(1);
  expect(config.networks[0]).toMatchObject({ resource: "sriov/vf" });
});
