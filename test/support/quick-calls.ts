// Generated calls of the kind that is answered quickly, with the files of the node that answer them: each part mostly right.

import * as fc from "fast-check";

export interface QuickCall {
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly files: QuickNode;
}

/** Texts of files; `undefined` is a file that is not there. */
export interface QuickNode {
  readonly checkpoint: string | undefined;
  readonly releasedBoot: string | undefined;
  /** Of the folder in which runtimes look for plugins. */
  readonly cniConfigs: Readonly<Record<string, string>>;
  readonly hasPodResources: boolean;
}

/** A VF of the node, which the kubelet gave to the pod of this UID. */
const quickVf = { address: "0000:3b:02.1", uid: "uid-with-vf" };

type Member = readonly [key: string, json: string];

const oddValues = [
  "null",
  '""',
  "0",
  "-0",
  "1.0",
  "1e400",
  "12345678901234567891",
  "true",
  "[]",
  "{}",
  "[null]",
];
const odd = fc.constantFrom(...oddValues, '"x"', '"\\ud800"', '{"__proto__":1}', '[{"name":"eth0"}]');
const extra = fc.constantFrom<Member>(
  ...["pf", "deviceID", "pciBusID"].map((key): Member => [key, `"${quickVf.address}"`]),
  ["runtimeConfig", `{"deviceID":"${quickVf.address}"}`],
  ["runtimeConfig", '{"mac":"x"}'],
  ["logLevel", '"debug"'],
  ["args", `{"cni":{"deviceID":"${quickVf.address}"}}`],
  ["capabilities", '{"mac":true}'],
  ["dns", "{}"],
  ["cni.dev/x", "1"],
  ["vlan", "7"],
  ["withMultus", "true"],
  ["networks", '[{"resource":"sriov/vf"}]'],
  ["__proto__", "{}"],
);

const version = mostly(
  '"1.1.0"',
  fc.constantFrom('"1.0.0"', '"0.4.0"', '"0.3.1"', '"0.2.0"', '"2.0.0"', "1"),
);

const config = fc.tuple(version, version, fc.boolean()).chain(([cniVersion, another, isSame]) => {
  const own: readonly Member[] = [
    ["cniVersion", cniVersion],
    ["name", '"cluster"'],
    ["type", '"virtfn"'],
  ];
  const chained = prevResultOf(isSame ? cniVersion : another).chain((result) =>
    objectOf([...own, ["prevResult", result]]),
  );
  return fc.oneof(chained, chained, objectOf(own));
});

function prevResultOf(cniVersion: string): fc.Arbitrary<string> {
  return objectOf([
    ["cniVersion", cniVersion],
    [
      "interfaces",
      '[{"name":"eth0","mac":"02:00:00:00:00:11","mtu":1500,"sandbox":"/run/netns/web-1"},{"name":"veth1"}]',
    ],
    ["ips", '[{"address":"10.0.0.4/24","gateway":"10.0.0.1","interface":0},{"address":"2001:db8::4/64"}]'],
    ["routes", '[{"dst":"0.0.0.0/0","gw":"10.0.0.1"}]'],
    ["dns", '{"nameservers":["10.0.0.10"]}'],
    ["x.y/own", '{"a":[1]}'],
  ]);
}

const entry = (uid: string): string =>
  JSON.stringify({
    PodUID: uid,
    ContainerName: "app",
    ResourceName: "sriov/vf",
    DeviceIDs: { "0": [quickVf.address] },
    AllocResp: "",
  });
const entries = mostly(
  `[${entry(quickVf.uid)},${entry("uid-of-another")}]`,
  fc.oneof(
    odd,
    objectOf([
      ["PodUID", `"${quickVf.uid}"`],
      ["ContainerName", '"c"'],
      ["ResourceName", '"r"'],
      ["DeviceIDs", '{"0":null}'],
    ]).map((one) => `[${one}]`),
  ),
);
const checkpoint = entries.chain((list) =>
  objectOf([
    ["PodDeviceEntries", list],
    ["RegisteredDevices", `{"sriov/vf":["${quickVf.address}"]}`],
  ]).chain((data) =>
    objectOf([
      ["Data", data],
      ["Checksum", "12345678901234567891"],
    ]),
  ),
);

const plugins = fc.constantFrom(
  '[{"type":"ptp"},{"type":"virtfn"}]',
  '[{"type":"virtfn"}]',
  "[]",
  "[null]",
  "1",
);
const cniConfig = plugins.chain((list) =>
  objectOf([
    ["name", '"cluster"'],
    ["plugins", list],
    ["type", '"virtfn"'],
  ]),
);
const fileName = fc.constantFrom("10-a.conflist", "05-a.conf", "1.json", "0.conf.bak", "ü.conf", ".conf");

/** `bootId` is that of the node. */
export function anyQuickCall(bootId: string): fc.Arbitrary<QuickCall> {
  return fc.record({
    environment: fc.record({
      CNI_COMMAND: fc.constantFrom("ADD", "ADD", "ADD", "ADD", "STATUS", "STATUS", "VERSION"),
      CNI_CONTAINERID: mostly("c1", fc.constantFrom("", "-", "a/b")),
      CNI_NETNS: mostly("/run/netns/web-1", fc.constantFrom("", "netns")),
      CNI_IFNAME: mostly("eth0", fc.constantFrom("", "net1", "an-interface-name", "ünterfaceünter")),
      CNI_ARGS: fc.array(anyArgument(), { minLength: 1, maxLength: 4 }).map((all) => all.join(";")),
    }),
    stdin: textOf(config),
    files: fc.record({
      checkpoint: mostly(textOf(checkpoint), fc.constant(undefined)),
      releasedBoot: mostly(
        `${bootId}\n`,
        fc.constantFrom(undefined, "", bootId, ` \u{feff}${bootId}`, `${bootId}x`),
      ),
      cniConfigs: fc.dictionary(fileName, textOf(cniConfig), { maxKeys: 2 }),
      hasPodResources: fc.boolean(),
    }),
  });
}

function anyArgument(): fc.Arbitrary<string> {
  const uid = fc.constantFrom(quickVf.uid, "uid-plain", "uid-plain", "uid-plain", "");
  return fc.oneof(
    { weight: 8, arbitrary: uid.map((text) => `K8S_POD_UID=${text}`) },
    {
      weight: 4,
      arbitrary: fc.constantFrom("K8S_POD_NAME=web-1", "K8S_POD_NAMESPACE=shop", "IgnoreUnknown=1", ""),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "k8s_pod_uid=x",
        "A=K8S_POD_UID=x",
        " K8S_POD_UID=x",
        "K8S_POD_UID",
        `deviceID=${quickVf.address}`,
        "__proto__=x",
      ),
    },
  );
}

/** JSON of an object as people, Go and broken programs write it: a key in another case, twice or missing, with another value. */
function objectOf(members: readonly Member[]): fc.Arbitrary<string> {
  const one = fc.oneof(
    fc.constantFrom(...members),
    fc.tuple(fc.constantFrom(...members.map(([key]) => key)), odd),
    extra,
  );
  const more = fc.array(fc.tuple(one, fc.boolean(), fc.nat(members.length)), { minLength: 1, maxLength: 2 });
  const changed = fc.tuple(more, fc.option(fc.nat(members.length - 1))).map(([added, left]) => {
    const list = members.filter((_member, at) => at !== left);
    for (const [[key, json], isRecased, at] of added)
      list.splice(at, 0, [isRecased ? recase(key) : key, json]);
    return list;
  });
  return fc
    .oneof({ weight: 3, arbitrary: fc.constant(members) }, { weight: 1, arbitrary: changed })
    .map((list) => `{${list.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(",")}}`);
}

/** What is in a file, or comes on stdin: also with a byte order mark, with spaces, with something behind, cut off, or nothing. */
function textOf(json: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.constantFrom<(text: string) => string>(
    (text) => `\u{feff}${text}`,
    (text) => ` \n${text}\n`,
    (text) => `${text}}`,
    (text) => text.slice(0, text.length / 2),
    () => "",
  );
  const changed = fc.tuple(json, change).map(([text, apply]) => apply(text));
  return fc.oneof({ weight: 14, arbitrary: json }, { weight: 1, arbitrary: changed });
}

function recase(key: string): string {
  return key.slice(0, 1).toUpperCase() + key.slice(1);
}

function mostly<T>(right: T | fc.Arbitrary<T>, wrong: fc.Arbitrary<T>): fc.Arbitrary<T> {
  const arbitrary = right instanceof fc.Arbitrary ? right : fc.constant(right);
  return fc.oneof({ weight: 8, arbitrary }, { weight: 1, arbitrary: wrong });
}
