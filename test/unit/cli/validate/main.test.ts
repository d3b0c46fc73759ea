// virtfn validate: what each kind of file is told, with line and column, and the exit codes.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { SystemCallError } from "../../../../host/errors.ts";
import { ValidateFolder } from "../../../support/validate-folder.ts";

let folder: ValidateFolder;

beforeEach(() => {
  folder = new ValidateFolder();
});
afterEach(() => folder[Symbol.dispose]());

test("a right network configuration is told what it is", async () => {
  const text = '{"cniVersion": "1.0.0", "name": "blue", "type": "virtfn", "vlan": 5}';
  expect(await folder.validate(text, "blue.conf")).toBe(
    'blue.conf: ok (network configuration "blue")\nexit 0',
  );
});

test("every problem of a network configuration comes with line and column", async () => {
  const text = `{
  "cniVersion": "2.0.0",
  "name": "blue",
  "type": "sriov",
  "vlan": 5000, "vlanQs": 1,
  "routes": [
    { "dst": "192.0.2.0/24", "mtu": 1 }
  ]
}`;
  expect(await folder.validate(text, "blue.conf")).toMatchInlineSnapshot(`
    "blue.conf:2:3: cniVersion: expected one of 0.3.1, 0.4.0, 1.0.0, 1.1.0, got "2.0.0"
    blue.conf:5:3: vlan: expected an integer from 0 to 4094, got 5000
    blue.conf:5:17: vlanQs: unknown key, did you mean vlanQoS?
    blue.conf:7:30: routes.0.mtu: expected an integer from 68 to 65535, got 1
    exit 1"
  `);
});

test("what a terminal would obey in somebody's configuration is shown, not done", async () => {
  const text = '{"cniVersion": "1.0.0", "name": "blue", "type": "virtfn", "vlan\\u001b[2J": 5}';
  const told = await folder.validate(text, "blue.conf");
  expect(told).toContain("vlan\\u001b[2J: unknown key");
  expect(told).not.toContain("\u001B");
});

test("the networks of a chained entry, and a second entry", async () => {
  const text = `{
  "cniVersion": "1.0.0",
  "name": "cluster",
  "plugins": [
    { "type": "bridge", "vlanQs": 1 },
    { "type": "virtfn",
      "networks": [{ "vlan": 4 }, { "resource": "sriov/b", "trust": "yes" }] },
    { "type": "virtfn" }
  ]
}`;
  expect(await folder.validate(text, "a.conflist")).toMatchInlineSnapshot(`
    "a.conflist:7:60: plugins[1].networks[1].trust: expected "on" or "off", got "yes"
    a.conflist:8:5: plugins[2]: expected one entry of virtfn, got a second one
    exit 1"
  `);
});

const head = `# ours
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: { name: blue }
`;

test.each([
  [
    "in quotes",
    `${head}spec:\n  config: '{"cniVersion": "1.0.0", "type": "virtfn", "vlan": "5"}'\n`,
    'x:6:54: spec.config: vlan: expected an integer from 0 to 4094, got "5"\nexit 1',
  ],
  [
    "in quotes over several lines, as the examples of Multus have it",
    `${head}spec:\n  config: '{\n      "cniVersion": "1.0.0",\n      "type": "virtfn",\n\n      "vlan": "5"\n    }'\n`,
    'x:10:7: spec.config: vlan: expected an integer from 0 to 4094, got "5"\nexit 1',
  ],
  [
    "in quotes, with a quote in it",
    `${head}spec:\n  config: '{"cniVersion": "1.0.0", "args": {"a": "it''s"}, "type": "virtfn", "vlan": "5"}'\n`,
    'x:6:78: spec.config: vlan: expected an integer from 0 to 4094, got "5"\nexit 1',
  ],
  [
    "as a folded block",
    `${head}spec:\n  config: >-\n    {"cniVersion": "1.0.0",\n      "type": "virtfn",\n    "vlan": "5"}\n`,
    'x:9:5: spec.config: vlan: expected an integer from 0 to 4094, got "5"\nexit 1',
  ],
  [
    "in quotes over several lines, where it stops being JSON",
    `${head}spec:\n  config: '{\n      "cniVersion": "1.0.0",\n      "type": "virtfn",\n    }'\n`,
    'x:9:5: spec.config: expected JSON: a key in quotes, as there is a comma before, got "}"\nexit 1',
  ],
  [
    "with escapes over several lines",
    `${head}spec:\n  config: "{\\"cniVersion\\": \\"1.0.0\\",\\n\\\n    \\u0022type\\": \\"virtfn\\",\n    \\"vlan\\": 4095}"\n`,
    "x:8:5: spec.config: vlan: expected an integer from 0 to 4094, got 4095\nexit 1",
  ],
  [
    "as a block",
    `${head}spec:\n  config: |\n\n    {\n      "cniVersion": "1.0.0", "type": "virtfn",\n      "vlan": "5"\n    }\n`,
    'x:10:7: spec.config: vlan: expected an integer from 0 to 4094, got "5"\nexit 1',
  ],
  [
    "with escapes",
    `${head}spec:\n  config: "{\\"cniVersion\\": \\"1.0.0\\", \\"type\\": \\"virtfn\\", \\"vlan\\": 4095}"\n`,
    "x:6:62: spec.config: vlan: expected an integer from 0 to 4094, got 4095\nexit 1",
  ],
  [
    "as YAML",
    `${head}spec:\n  config: |\n    cniVersion: "1.0.0"\n    type: virtfn\n`,
    expect.stringContaining("x:7:5: spec.config: expected JSON: ") as string,
  ],
  [
    "right",
    `${head}spec:\n  config: '{"cniVersion": "1.0.0", "type": "virtfn"}'\n`,
    'x: ok (NetworkAttachmentDefinition "blue")\nexit 0',
  ],
  ["without one", head, 'x: ok (NetworkAttachmentDefinition "blue")\nexit 0'],
])("a NetworkAttachmentDefinition with its configuration %s", async (_how, text, expected) => {
  expect(await folder.validate(text)).toEqual(expected);
});

test("each key of a ConfigMap is a file, as kubectl prints it", async () => {
  const text = `apiVersion: v1
data:
  chained.yaml: |
    networks:
    - vlan: 5
  config.yaml: |
    resourceList:
    - resourceName: a
      limitss: {}
  empty: ""
  number: 5
kind: ConfigMap
metadata:
  name: virtfn-deviceplugin
`;
  expect(await folder.validate(text)).toMatchInlineSnapshot(`
    "x:9:7: data.config.yaml: resourceList[0].limitss: unknown key, did you mean limits?
    x:10:3: data.empty: the file is empty
    x:11:3: data.number: expected a text
    exit 1"
  `);
  expect(await folder.validate(text.replace("limitss", "limits").replace(/ {2}empty.*\n.*\n/, ""))).toBe(
    'x: ok (ConfigMap "virtfn-deviceplugin")\nexit 0',
  );
  expect(await folder.validate("kind: ConfigMap\nmetadata: {name: a}")).toBe('x: ok (ConfigMap "a")\nexit 0');
});

test("several documents, and a list of objects", async () => {
  const bad = `spec: { config: '{"cniVersion": "1.0.0", "type": "virtfn", "mtu": 5}' }`;
  const items = `apiVersion: v1\nkind: List\nitems:\n  - kind: NetworkAttachmentDefinition\n    ${bad}\n`;
  expect(await folder.validate(`${head}${bad}\n---\n${head}---\n${items}`)).toMatchInlineSnapshot(`
    "x:5:60: spec.config: mtu: expected an integer from 68 to 65535, got 5
    x:16:22: spec.config: name: expected letters, digits, _, . and -, got nothing
    x:16:64: spec.config: mtu: expected an integer from 68 to 65535, got 5
    exit 1"
  `);
});

test("node.yaml, the chained entry and resources are known by their keys", async () => {
  expect(await folder.validate("pfs: [ens1f0]\nlimits:\n  sriov/vf:\n    vlans: [5, 9-1]\n")).toBe(
    'x:4:16: limits.sriov/vf.vlans.1: expected VLANs like 100 or 200-299, from 0 to 4094, got "9-1"\nexit 1',
  );
  expect(await folder.validate("networks:\n  - vlan: 5\n    mtuu: 5\n")).toBe(
    "x:3:5: networks[0].mtuu: unknown key, did you mean mtu?\nexit 1",
  );
  expect(await folder.validate('{"resourceList": [{"resourceName": "vf", "selectorss": {}}]}')).toContain(
    "x:1:42: resourceList[0].selectorss: unknown key, did you mean selectors?",
  );
  expect(await folder.validate("resourceList: [{resourceName: vf}]")).toBe(
    "x: ok (resource configuration)\nexit 0",
  );
});

test.each([
  ["", "x:1:1: the file is empty\nexit 1"],
  ["a: [", expect.stringMatching(/^x:1:5: .*\nexit 1$/) as string],
  ["a: 1\na: 2", "x:2:1: a: given twice\nexit 1"],
  ["foo: bar", expect.stringContaining("x:1:1: expected a network configuration") as string],
  ["kind: Pod\napiVersion: v1\nname: x", expect.stringContaining("got none of them\nexit 1") as string],
  ["[]", expect.stringContaining("got none of them\nexit 1") as string],
])("%j is no configuration", async (text, expected) => {
  expect(await folder.validate(text)).toEqual(expected);
});

test("what is YAML and no JSON is told where the runtime stops reading", async () => {
  expect(await folder.validate('{\n  "name": "a", "type": "virtfn",\n  "cniVersion": "1.0.0",\n}')).toBe(
    'x:4:1: expected JSON: a key in quotes, as there is a comma before, got "}"\nexit 1',
  );
});

test("an entry whose type is nearly ours is told: no plugin of that name is there", async () => {
  const list = { cniVersion: "1.0.0", name: "c", plugins: [{ type: "bridge" }, { type: "virtfm" }] };
  expect(await folder.validate(JSON.stringify(list))).toMatch(
    /^x:1:\d+: plugins\[1\]\.type: expected virtfn, got "virtfm"\nexit 1$/,
  );
  expect(await folder.validate('{"cniVersion": "1.0.0", "name": "c", "type": "virt-fn"}')).toBe(
    'x:1:38: type: expected virtfn, got "virt-fn"\nexit 1',
  );
});

test("--json gives the findings as JSON", async () => {
  const printed = await folder.validate(
    '{"cniVersion": "1.0.0", "name": "b", "type": "virtfn", "vlan": -1}',
    "b.conf",
    ["--json"],
  );
  expect(JSON.parse(printed.replace(/exit 1$/, ""))).toEqual([
    {
      file: "b.conf",
      documents: ['network configuration "b"'],
      problems: [{ line: 1, column: 56, problem: "vlan: expected an integer from 0 to 4094, got -1" }],
    },
  ]);
});

test("a file that is not there, no file, an unknown flag", async () => {
  expect(await folder.run(["none", "/proc/self"])).toBe(
    "none:1:1: there is no such file\n/proc/self:1:1: read(/proc/self) failed: EISDIR\nexit 1",
  );
  for (const argv of [[], ["--jso", "x"]])
    await expect(folder.run(argv)).rejects.toThrow(expect.objectContaining({ code: "ERR_USAGE" }) as Error);
});

test("- is stdin, beside files too, and once", async () => {
  folder.write("stdin", "limits: {sriov/a: {trust: off}}\n");
  const text = "resourceList:\n- resourceName: a\n  limits: {trust: on}\n";
  expect(await folder.run(["-"], () => Promise.resolve(text))).toBe(
    "stdin: ok (resource configuration)\nexit 0",
  );
  expect(await folder.run(["-"])).toBe("stdin:1:1: the file is empty\nexit 1");
  expect(await folder.run(["-", "stdin"], () => Promise.resolve(text))).toBe(
    "stdin:3:12: resourceList[0].limits.trust: expected a value that both allow to sriov/a, got on here, off in stdin\n" +
      "stdin: ok (node.yaml)\nexit 1",
  );
  await expect(folder.run(["-", "-"])).rejects.toThrow(
    "virtfn validate: expected - once, as stdin ends once",
  );
});

test("other pipes and devices are refused, and stdin that cannot be read; both name it", async () => {
  spawnSync("mkfifo", [join(folder.path, "pipe")]);
  expect(await folder.run(["pipe", "/dev/null"])).toBe(
    `pipe:1:1: read(${folder.path}/pipe, which is no regular file) failed: EINVAL; to read a pipe, give it as stdin, and - as the file\n` +
      "/dev/null:1:1: read(/dev/null, which is no regular file) failed: EINVAL; to read a pipe, give it as stdin, and - as the file\nexit 1",
  );
  expect(await folder.run(["-"], refuse)).toBe("stdin:1:1: read(stdin) failed: EISDIR\nexit 1");
});

function refuse(): Promise<string> {
  return Promise.reject(new SystemCallError("read", "stdin", "EISDIR"));
}

test("resources without a prefix have the one that the device plugin is given", async () => {
  const text = "resourceList:\n- {resourceName: a}\n- {resourceName: a, resourcePrefix: example.com}\n";
  expect(await folder.validate(text, "r.yaml")).toBe("r.yaml: ok (resource configuration)\nexit 0");
  expect(await folder.validate(text, "r.yaml", ["--resource-prefix", "example.com"])).toBe(
    'r.yaml:3:4: resourceList[1].resourceName: expected a name other than that of resourceList[0], got "example.com/a"\nexit 1',
  );
  await expect(folder.validate(text, "r.yaml", ["--resource-prefix", "kubernetes.io"])).rejects.toThrow(
    'virtfn validate: --resource-prefix: expected a domain like example.com, not kubernetes.io, got "kubernetes.io"',
  );
});
