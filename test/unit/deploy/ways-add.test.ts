// The CNI plugin given what each way's manifests say, on a fake node: a pod gets its VF, under the name that the way promises.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";

import { planConflist } from "../../../cli/install-cni/conflist.ts";
import { readEntryFile } from "../../../cli/install-cni/entry-file.ts";
import { supportedVersions } from "../../../cni/spoken-versions.ts";
import { createFiles } from "../../../host/files.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const ways = resolve(import.meta.dirname, "../../../deploy/examples/ways");
const vf = "0000:3b:02.1";
const prevResult = {
  cniVersion: "1.0.0",
  interfaces: [{ name: "eth0", sandbox: "/run/netns/web-1" }],
  ips: [{ address: "10.244.1.4/24", interface: 0 }],
};

interface List {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly { readonly type: string }[];
}

/** Our plugin of a list, as the CNI library hands it over. */
function ownOf(text: string): object {
  const { cniVersion, name, plugins } = JSON.parse(text) as List;
  return { ...plugins.find(({ type }) => type === "virtfn"), cniVersion, name };
}

/** As install-cni puts it behind the cluster's own plugin. */
function chain(way: string): object {
  const settings = readEntryFile({ files: createFiles() }, join(ways, way, "chained.yaml"));
  const list = '{"cniVersion":"1.0.0","name":"cluster","plugins":[{"type":"bridge"}]}';
  const planned = planConflist(list, { type: "virtfn", supported: supportedVersions, settings });
  return { ...ownOf(planned.kind === "write" ? planned.text : ""), prevResult };
}

function makeNode(way: string): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  if (["multus", "chained"].includes(way)) node.allocate("uid-web-1", { app: [vf] });
  else {
    const text = readFileSync(join(ways, way, "node.yaml"), "utf8");
    node.host.files.writeAtomic(node.host.paths.nodeConfig, text);
  }
  return node;
}

const calls = {
  multus: () => {
    const definition = parse(readFileSync(join(ways, "multus/network.yaml"), "utf8")) as {
      readonly spec: { readonly config: string };
    };
    return { config: { ...(JSON.parse(definition.spec.config) as object), deviceID: vf }, ifName: "net1" };
  },
  chained: () => ({ config: chain("chained"), ifName: "eth0" }),
  "only-network": () => ({
    config: ownOf(readFileSync(join(ways, "only-network/00-virtfn.conflist"), "utf8")),
    ifName: "eth0",
  }),
  "without-device-plugin": () => ({ config: chain("without-device-plugin"), ifName: "eth0" }),
} as const;

test.each([
  ["multus", ["net1"], "100"],
  ["chained", ["eth0", "net1"], "100"],
  ["only-network", ["eth0"], "0"],
  ["without-device-plugin", ["eth0", "net1"], "0"],
] as const)("%s: the pod's interfaces are %j", async (way, interfaces, vlan) => {
  using node = makeNode(way);
  const { config, ifName } = calls[way]();
  const before = node.toText();
  const added = await callCni(node.host, config, { ifName });
  expect(added).toMatchObject({ exitCode: 0 });
  const result = added.json as { readonly interfaces: readonly { readonly name: string }[] };
  expect(result.interfaces.map(({ name }) => name)).toEqual(interfaces);
  expect(node.toText()).toMatch(new RegExp(`\\n/run/netns/web-1\\n {2}${interfaces.at(-1)} 0000:3b:02`));
  expect(node.toText().includes("vlan 100 ")).toBe(vlan === "100");
  expect(node.toText()).toMatch(/\nlease .* 10\.56\.0\.\d+/);
  expect(await callCni(node.host, config, { ifName, command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});
