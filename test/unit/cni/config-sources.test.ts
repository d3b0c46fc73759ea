// Which key may come from where, and who wins: every key in every place, and the places against each other.

import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";

import { readConfig, type CniConfig } from "../../../cni/config.ts";
import { keySources, type Place } from "../../../cni/config-sources.ts";
import { parsePodArguments } from "../../../cni/pod-arguments.ts";

/** A right value of each key. */
const examples: Readonly<Record<string, unknown>> = {
  mac: "02:00:00:00:00:01",
  mtu: 1400,
  vlan: 5,
  vlanQoS: 0,
  vlanProto: "802.1q",
  spoofchk: "on",
  trust: "off",
  link_state: "auto",
  min_tx_rate: 5,
  max_tx_rate: 10,
  ips: ["192.0.2.1/24"],
  gateway: "192.0.2.254",
  routes: [{ dst: "198.51.100.0/24" }],
  ipam: { type: "host-local" },
  announce: true,
  requireCarrierMs: 100,
  queues: 2,
  rings: { rx: 512 },
  tuning: "follow-pod",
  rfs: true,
  threadedNapi: true,
  channelPerCpu: false,
  resetBetweenPods: true,
  driver: "vfio-pci",
  deviceID: "0000:3b:02.1",
  pciBusID: "0000:3b:02.1",
  networks: [{}],
  withMultus: true,
  resource: "sriov/vf",
  ifNamePrefix: "data",
  pf: "ens1f0",
  logFile: "/var/log/virtfn.log",
  logLevel: "info",
};
const elsewhere = ["runtimeConfig", "args.cni", "CNI_ARGS", "annotation"] as const;

function put(config: Record<string, unknown>, place: Place, key: string, value: unknown): string {
  switch (place) {
    case "file":
      config[key] = value;
      return "";
    case "args.cni":
      config["args"] = { cni: { [key]: value } };
      return "";
    case "runtimeConfig":
      config["runtimeConfig"] = { ...(config["runtimeConfig"] as object | undefined), [key]: value };
      return "";
    case "annotation":
      config["runtimeConfig"] = {
        ...(config["runtimeConfig"] as object | undefined),
        "io.kubernetes.cri.pod-annotations": { [key]: String(value) },
      };
      return "";
    case "CNI_ARGS":
      return `;${key}=${Array.isArray(value) ? value.join(",") : String(value)}`;
  }
}

function read(puts: readonly (readonly [Place, string, unknown])[]): ReturnType<typeof readConfig> {
  const config: Record<string, unknown> = { cniVersion: "1.0.0", name: "blue" };
  const args = puts.map(([place, key, value]) => put(config, place, key, value)).join("");
  return readConfig(config, parsePodArguments(`IgnoreUnknown=1${args}`));
}

test("the table has an example here for each key", () => {
  expect(Object.keys(examples).toSorted()).toEqual([...keySources.keys()].toSorted());
});

const refused = [...keySources].flatMap(([key, sources]) =>
  elsewhere
    .filter((place) => !sources.some((source) => source.place === place))
    .map((place) => ({ key, place })),
);

test.each(refused)("$key may not come from $place", ({ key, place }) => {
  const name = place === "annotation" ? `virtfn/${key}` : key;
  const { problems } = read([[place, name, examples[key]]]);
  expect(problems).toEqual([
    expect.stringMatching(
      /: may not be set here, put it into the network configuration$|: unknown key/,
    ) as string,
  ]);
  expect(read([[place, name.toUpperCase(), examples[key]]]).problems).toHaveLength(
    place === "annotation" ? 0 : 1,
  );
});

const taken = [...keySources].flatMap(([key, sources]) =>
  sources.map(({ place, key: name }) => ({ key, place, name })),
);

test.each(taken)("$key is taken from $place, as $name", ({ key, place, name }) => {
  const { config, problems } = read([
    ["file", "ips", ["192.0.2.9/24"]],
    [place, name, examples[key]],
  ]);
  expect(problems).toEqual(key === "networks" ? ["ips: expected inside networks, not beside it"] : []);
  // What is as without it says nothing.
  const isDefault = ["announce", "resource", "logLevel"].includes(key);
  const without = read([["file", "ips", ["192.0.2.9/24"]]]).config;
  expect(isDeepStrictEqual(withoutCall(config), withoutCall(without))).toBe(isDefault);
});

/** What of a configuration is not as it came. */
function withoutCall({ delegate: _delegate, ...config }: CniConfig): object {
  return config;
}

type Pick = (config: CniConfig) => unknown;
const contests: readonly [string, readonly unknown[], Pick][] = [
  [
    "mac",
    ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03", "02:00:00:00:00:04"],
    (config) => config.networks[0]?.mac,
  ],
  [
    "ips",
    [["192.0.2.1/24"], ["192.0.2.2/24"], ["192.0.2.3/24"], ["192.0.2.4/24"]],
    (config) => config.networks[0]?.ips.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
  ],
  ["tuning", ["follow-pod", "pod-sibling", "none", "dedicated"], (config) => config.networks[0]?.tuning],
];

test.each(contests)(
  "%s: the first place of the table wins, with any of those before it missing",
  (key, values, pick) => {
    const sources = keySources.get(key) ?? [];
    expect(values).toHaveLength(sources.length);
    for (let from = 0; from < sources.length; from += 1) {
      const puts = sources.map(({ place, key: name }, at) => [place, name, values[at]] as const).slice(from);
      const { config, problems } = read(puts);
      expect(problems).toEqual([]);
      expect(pick(config)).toEqual(values[from]);
    }
  },
);

test.each(contests)("%s: a place where it is null or empty counts as one without it", (key, values, pick) => {
  const [first, ...others] = keySources.get(key) ?? [];
  if (first === undefined) throw new Error("no places");
  const [next] = others;
  // An annotation is a text.
  for (const nothing of first.place === "annotation" ? [""] : [null, ""]) {
    const { config, problems } = read([
      [first.place, first.key, nothing],
      [next?.place ?? "file", next?.key ?? key, values[1]],
    ]);
    expect(problems).toEqual([]);
    expect(pick(config)).toEqual(values[1]);
  }
});

test.each(contests)(
  "%s: a wrong value is a problem in any place, also where another one wins",
  (key, values, pick) => {
    const sources = keySources.get(key) ?? [];
    for (const [at, { place, key: name }] of sources.entries()) {
      if (at === 0) continue;
      const puts = [
        [sources[0]?.place ?? "file", sources[0]?.key ?? key, values[0]],
        [place, name, "wrong"],
      ] as const;
      const { config, problems } = read(puts);
      expect(problems).toEqual([expect.stringContaining(name)]);
      expect(pick(config)).toEqual(values[0]);
    }
  },
);

test("several names of the device must mean the same one", () => {
  const { problems } = read([
    ["runtimeConfig", "deviceID", "0000:3b:02.2"],
    ["file", "deviceID", "0000:3b:02.1"],
  ]);
  expect(problems).toEqual([expect.stringContaining("deviceID: expected the same device as elsewhere")]);
});

test.each<[Place, string, unknown, string]>([
  ["runtimeConfig", "mac", "zz", "runtimeConfig.mac: expected a unicast MAC address"],
  ["runtimeConfig", "ips", ["x"], "runtimeConfig.ips.0: expected an address with its prefix length"],
  ["args.cni", "mac", { a: 1 }, "args.cni.mac: expected a unicast MAC address"],
  ["CNI_ARGS", "IP", "192.0.2.5", "CNI_ARGS IP.0: expected an address with its prefix length"],
  ["args.cni", "irqPolicy", "0-3", "args.cni.irqPolicy: expected one of numa-spread"],
  ["annotation", "virtfn/irq-policy", "folow-pod", 'got "folow-pod", did you mean follow-pod?'],
  ["annotation", "virtfn/irq-polcy", "none", "unknown key, did you mean virtfn/irq-policy?"],
  ["annotation", "virtfn/cpus", "0-3", "annotation virtfn/cpus: unknown key"],
])("a wrong value in %s is a problem: %s %j", (place, key, value, problem) => {
  expect(read([[place, key, value]]).problems).toEqual([expect.stringContaining(problem)]);
});

test("keys of others are passed over in every place", () => {
  const { problems } = read([
    ["runtimeConfig", "bandwidth", {}],
    ["args.cni", "app", "web"],
    ["CNI_ARGS", "FOO", "1"],
  ]);
  expect(problems).toEqual([]);
});

test("a key that stands twice in one place, in two cases, is a problem", () => {
  const { problems } = read([
    ["runtimeConfig", "mac", "02:00:00:00:00:01"],
    ["runtimeConfig", "MAC", "02:00:00:00:00:02"],
  ]);
  expect(problems).toEqual(["runtimeConfig.MAC: given twice, in another case too"]);
});

test("with a delegate the wished addresses are its business, in whatever form it takes them", () => {
  const { config, problems } = read([
    ["file", "ipam", { type: "host-local" }],
    ["CNI_ARGS", "IP", "192.0.2.5"],
    ["runtimeConfig", "ips", ["192.0.2.5"]],
  ]);
  expect(problems).toEqual([]);
  expect(config.choices.ips).toBeUndefined();
  expect(config.delegate.runtimeConfig).toEqual({ ips: ["192.0.2.5"] });
});
