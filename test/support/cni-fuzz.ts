// Generated CNI calls on a fake node: environment, configuration with prevResult and annotations, and a record on disk, each mostly right.

import * as fc from "fast-check";

import { sampleAttachment } from "./attachment-arbitrary.ts";

/** A call, and what lies on the node's disk as the record of a VF when it comes. */
export interface FuzzCall {
  readonly base: FuzzBase;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly record: FuzzRecord | undefined;
  /** Note of the VF's name on the host, which it could not get back. */
  readonly homeName: string | undefined;
}

export type FuzzBase = keyof typeof bases;

export interface FuzzRecord {
  /** The record itself, or its second copy where the record is lost. */
  readonly place: "record" | "copy";
  readonly text: string;
  /** Whether it still says that pod shop/web-2, which lives, has the VF. One that was cut off does not: a VF on the host is reset then. */
  readonly isGuarding: boolean;
}

/** The VF that configurations name, and that records are about. */
export const fuzzDevice = "0000:3b:02.1";

const common = {
  cniVersion: "1.1.0",
  name: "blue",
  type: "virtfn",
  runtimeConfig: {
    mac: "02:00:00:00:00:78",
    ips: ["192.0.2.6/24"],
    CNIDeviceInfoFile: "/var/run/k8s.cni.cncf.io/devinfo/cni/default-blue-c1_net1",
    "io.kubernetes.cri.pod-annotations": { a: "b", "virtfn/irq-policy": "numa-spread" },
  },
  args: { cni: { mac: "02:00:00:00:00:79", irqPolicy: "follow-pod" } },
  capabilities: { mac: true },
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
  logLevel: "debug",
};
const settings = {
  vlan: 5,
  vlanQoS: 2,
  vlanProto: "802.1q",
  mac: "02:00:00:00:00:77",
  mtu: 1400,
  trust: "on",
  spoofchk: "off",
  max_tx_rate: 1000,
  ips: ["192.0.2.5/24", "2001:db8::5/64"],
  gateway: "192.0.2.1",
  routes: [{ dst: "0.0.0.0/0", gw: "192.0.2.1" }],
};
const prevResult = {
  cniVersion: "1.1.0",
  interfaces: [{ name: "eth0", mac: "02:00:00:00:00:11", sandbox: "/run/netns/web-1", pciID: "" }],
  ips: [{ address: "10.0.0.4/24", gateway: "10.0.0.1", interface: 0 }],
  routes: [{ dst: "0.0.0.0/0", gw: "10.0.0.1" }],
  dns: { nameservers: ["10.0.0.10"] },
};
const attachments = [{ containerID: "c1", ifname: "net1" }];
const chained = {
  cniVersion: "1.1.0",
  name: "cluster",
  type: "virtfn",
  prevResult,
  runtimeConfig: { "io.kubernetes.cri.pod-annotations": { "k8s.v1.cni.cncf.io/networks": "" } },
  networks: [{ resource: "sriov/vf", ifNamePrefix: "net", vlan: 7, ipam: common.ipam }],
};

const bases = {
  device: { ...common, ...settings, deviceID: fuzzDevice, "cni.dev/valid-attachments": attachments },
  after: { ...common, deviceID: fuzzDevice, prevResult },
  chained,
  pf: { ...common, ...settings, pf: "ens1f0" },
} as const;

const alive = {
  ...sampleAttachment,
  owner: { ...sampleAttachment.owner, netns: "/run/netns/web-2", network: "blue" },
};

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom("", "on", "__proto__", "../x", "\0", "ens1f0", "sriov/vf", "/run/netns/web-1"),
  fc.constantFrom("0000:3b:02.0", "192.0.2.0/24", "02:00:00:00:00:77"),
  fc.constantFrom<unknown>(0, -1, 4095, 1e308, null, [], {}, [null]),
);

/** Puts `value` (undefined: nothing) in the place of one part of a JSON value, or beside it under a key that is not there. */
const change = fc.record({
  at: fc.nat(),
  value: fc.oneof({ weight: 3, arbitrary: odd }, { weight: 1, arbitrary: fc.constant(undefined) }),
  beside: fc.option(fc.constantFrom("__proto__", "constructor", "vlanQs", "VLAN", "pf", "deviceID", "mac"), {
    freq: 5,
  }),
});
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

const changes = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Change[]>([]) },
  { weight: 4, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) },
);

const configText = fc
  .tuple(fc.constantFrom<FuzzBase>("device", "after", "chained", "pf"), changes)
  .map(([base, list]) => ({ base, stdin: JSON.stringify(applyChanges(bases[base], list)) }));

const stdin = fc.oneof(
  { weight: 14, arbitrary: configText },
  { weight: 1, arbitrary: fc.string().map((text) => ({ base: "device" as const, stdin: text })) },
);

const record = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: changes.map((list) => ({ list, cut: undefined })) },
  { weight: 1, arbitrary: fc.record({ list: changes, cut: fc.option(fc.nat(900), { nil: 0 }) }) },
);

const name = { format: "1.0", inode: "", name: "ens1f0v9" };
const homeName = fc.oneof(
  { weight: 9, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: changes },
);

const environment = fc.record({
  CNI_COMMAND: mostly("ADD", fc.constantFrom("DEL", "CHECK", "GC", "STATUS", "VERSION", "x", "")),
  CNI_CONTAINERID: mostly("c1", fc.string({ maxLength: 5 })),
  CNI_NETNS: mostly(
    "/run/netns/web-1",
    fc.oneof(fc.constantFrom("/run/netns/none", "/run/netns/web-2", ""), fc.string({ maxLength: 9 })),
  ),
  CNI_IFNAME: mostly("net1", fc.string({ maxLength: 20 })),
  CNI_ARGS: mostly(
    "K8S_POD_UID=u;K8S_POD_NAME=a;K8S_POD_NAMESPACE=b",
    fc.oneof(fc.constant("MAC=02:00:00:00:00:01;IP=192.0.2.9/24"), fc.string({ maxLength: 20 })),
  ),
});

/** `inode`, `cookie` and `bootId` are those of the node: with them the record's owner lives. */
export function anyFuzzCall(
  node: Readonly<Record<"inode" | "cookie" | "bootId", string>>,
): fc.Arbitrary<FuzzCall> {
  const whole = {
    ...alive,
    bootId: node.bootId,
    owner: { ...alive.owner, cookie: node.cookie },
    device: { ...alive.device, address: fuzzDevice, pf: "0000:3b:00.0", inode: node.inode },
  };
  const place = fc.constantFrom("record" as const, "record" as const, "copy" as const);
  const parts = fc.record({ input: stdin, environment, made: record, place, named: homeName });
  return parts.map(({ input, made, environment: env, named, ...rest }) => ({
    base: input.base,
    stdin: input.stdin,
    environment: env,
    record: made === undefined ? undefined : { ...makeRecord(whole, made), ...rest },
    homeName: named && JSON.stringify(applyChanges({ ...name, inode: node.inode }, named)),
  }));
}

// Guarding: no change touches what tells the owner, the device or the boot, and it is whole.
function makeRecord(
  whole: object,
  { list, cut }: { readonly list: readonly Change[]; readonly cut: number | undefined },
): Omit<FuzzRecord, "place"> {
  const changed = applyChanges(whole, list);
  const keys = ["owner", "device", "bootId"] as const;
  const isSame = keys.every(
    (key) => JSON.stringify(Reflect.get(changed as object, key)) === JSON.stringify(Reflect.get(whole, key)),
  );
  const full = JSON.stringify(changed);
  const text = full.slice(0, cut);
  return { text, isGuarding: isSame && text === full };
}

function applyChanges(value: unknown, list: readonly Change[]): unknown {
  const copy = structuredClone(value);
  for (const { at, value: put, beside } of list) {
    const places = listPlaces(copy);
    const place = places[at % places.length];
    if (place === undefined) continue;
    const key = beside ?? place.key;
    if (put === undefined) Reflect.deleteProperty(place.parent, key);
    else
      Object.defineProperty(place.parent, key, {
        value: structuredClone(put),
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return copy;
}

interface Place {
  readonly parent: object;
  readonly key: string;
}

function listPlaces(value: unknown): readonly Place[] {
  if (typeof value !== "object" || value === null) return [];
  const own = Object.keys(value).map((key) => ({ parent: value, key }));
  return [...own, ...Object.values(value).flatMap(listPlaces)];
}

// Mostly right, so that the calls come far.
function mostly(right: string, wrong: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof({ weight: 12, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: wrong });
}
