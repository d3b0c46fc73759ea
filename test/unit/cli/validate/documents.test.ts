// virtfn validate: what is wrong only with more than one document: limits that contradict each other, a second one where one is read.

import { afterEach, beforeEach, expect, test } from "vitest";

import { ValidateFolder } from "../../../support/validate-folder.ts";

let folder: ValidateFolder;

beforeEach(() => {
  folder = new ValidateFolder();
});
afterEach(() => folder[Symbol.dispose]());

function encode(limits: string): string {
  return Buffer.from(`limits: {sriov/a: ${limits}}`).toString("base64");
}

test("of a node.yaml and a resource configuration together, limits that allow nothing", async () => {
  folder.write("node.yaml", 'limits: {example.com/a: {vlans: [1-9]}, "*": {trust: off}}\n');
  const text = `resourceList:
- resourceName: a
  limits: {vlans: [10], trust: on}
- resourceName: b
  limits:
    spoofchk: on
    trust: on
- resourceName: c
  limits: {trust: off}
`;
  const flags = ["--resource-prefix", "example.com", "node.yaml"];
  expect(await folder.validate(text, "r.yaml", flags)).toMatchInlineSnapshot(`
    "node.yaml: ok (node.yaml)
    r.yaml:3:12: resourceList[0].limits.vlans: expected a value that both allow to example.com/a, got 10 here, 1-9 in node.yaml
    r.yaml:7:5: resourceList[1].limits.trust: expected a value that both allow to example.com/b, got on here, off in node.yaml
    exit 1"
  `);
  const mistaken = text.replace("spoofchk", "spoof");
  expect(await folder.validate(mistaken, "r.yaml", flags)).toContain(
    "resourceList[1].limits.spoof: unknown key",
  );
});

test("limits that allow nothing in ConfigMaps, as kubectl prints them, and between the keys of one", async () => {
  const text = `apiVersion: v1
kind: List
items:
- kind: ConfigMap
  data:
    config.yaml: |
      resourceList:
      - resourceName: a
        limits: {trust: on}
`;
  folder.write("node.yaml", "limits: {sriov/a: {trust: off}}\n");
  expect(await folder.validate(text, "maps.yaml", ["node.yaml"])).toMatchInlineSnapshot(`
    "node.yaml: ok (node.yaml)
    maps.yaml:9:18: data.config.yaml: resourceList[0].limits.trust: expected a value that both allow to sriov/a, got on here, off in node.yaml
    exit 1"
  `);
  const both = `${text}    node.yaml: "limits: {sriov/a: {trust: off}}"\n`;
  expect(await folder.validate(both)).toMatchInlineSnapshot(`
    "x:9:18: data.config.yaml: resourceList[0].limits.trust: expected a value that both allow to sriov/a, got on here, off in x (data.node.yaml)
    exit 1"
  `);
  const encoded = `${text}  binaryData:\n    node.yaml: ${encode("{trust: off}")}\n`;
  expect(await folder.validate(encoded)).toMatchInlineSnapshot(`
    "x:9:18: data.config.yaml: resourceList[0].limits.trust: expected a value that both allow to sriov/a, got on here, off in x (binaryData.node.yaml)
    exit 1"
  `);
  expect(await folder.validate(encoded.replace(encode("{trust: off}"), encode("{trusts: off}"))))
    .toMatchInlineSnapshot(`
    "x:11:5: binaryData.node.yaml: limits.sriov/a.trusts: unknown key, did you mean trust?
    exit 1"
  `);
});

test.each([
  ["pfs: [ens1f0]", "networks: [{vlan: 5}]"],
  ["networks: [{vlan: 5}]", "networks: [{vlan: 6}]"],
  ["resourceList: [{resourceName: a}]", "resourceList: [{resourceName: b}]"],
])("a second document where the program reads one: %s, %s", async (first, second) => {
  expect(await folder.validate(`${first}\n---\n${second}\n`)).toMatch(
    /^x:[23]:1: expected one document, got a second one \(behind ---\)\n(?:x:.*\n)*exit 1$/u,
  );
  const inMap = `kind: ConfigMap\ndata:\n  a: |\n    ${first}\n    ---\n    ${second}\n`;
  expect(await folder.validate(inMap)).toContain("x:5:5: data.a: expected one document, got a second one");
});
