// The configuration: what is refused, in which words, and what is passed over.

import { expect, test } from "vitest";

import type { Attachee } from "../../../cni/config-device-info.ts";
import { parseConfig, parseInput, readConfig } from "../../../cni/config.ts";
import { parsePodArguments } from "../../../cni/pod-arguments.ts";

const base = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };

function problemsOf(config: object, args = ""): string {
  try {
    parseConfig(config, parsePodArguments(args));
  } catch (error) {
    return String(error);
  }
  return "";
}

function parse(config: object, args = ""): ReturnType<typeof parseConfig> {
  return parseConfig(config, parsePodArguments(args));
}

function macOf(config: object, args = ""): string | undefined {
  return parse(config, args).networks[0]?.mac;
}

test("all problems come at once, with path, expected, got and the near key or value", () => {
  const config = { ...base, vlanQs: 3, vlan: 5000, spoofchk: "On", min_tx_rate: 900, max_tx_rate: "100" };
  expect(problemsOf(config)).toMatchInlineSnapshot(
    `"ERR_NETWORK_CONFIG: 4 problems in network "blue": vlanQs: unknown key, did you mean vlanQoS? | vlan: expected an integer from 0 to 4094, got 5000 | spoofchk: expected "on" or "off", got "On", did you mean on? | max_tx_rate: expected an integer from 0 to 4294967295, got "100""`,
  );
});

test("words of a pod as long as an annotation are refused at once", () => {
  const word = "x".repeat(256 * 1024);
  const annotations = { "io.kubernetes.cri.pod-annotations": { "virtfn/irq-policy": word } };
  const beginMs = performance.now();
  expect(problemsOf({ ...base, runtimeConfig: annotations }, `IRQ_POLICY=${word}`)).toMatch(
    /^ERR_NETWORK_CONFIG: 2 problems in network "blue": annotation virtfn\/irq-policy: expected one of numa-spread/,
  );
  // It took 20 s.
  expect(performance.now() - beginMs).toBeLessThan(2000);
});

test("keys inside a value are read in any case, too, and a wrong one is told with the near one", () => {
  const config = {
    ...base,
    ips: ["192.0.2.5/24"],
    rings: { RX: 512, Tx: 64 },
    routes: [{ Dst: "198.51.100.0/24", GW: "192.0.2.1", mtu: null, table: "" }],
    ipam: { Type: "host-local", subnet: "192.0.2.0/24" },
    prevResult: {
      interfaces: [{ name: "eth0", mac: null }],
      ips: [{ address: "10.0.0.1/8", gateway: null }],
    },
  };
  expect(problemsOf(config)).toBe("");
  expect(parse(config).networks[0]).toMatchObject({
    rings: { rx: 512, tx: 64 },
    routes: [{ gw: "192.0.2.1", mtu: undefined, table: undefined }],
    ipam: { type: "host-local", config: { type: "host-local", subnet: "192.0.2.0/24" } },
  });
  const wrong = {
    ...base,
    ips: ["192.0.2.5/24"],
    rings: { rxx: 512, constructor: 1 },
    routes: [{ dst: "198.51.100.0/24", DST: "203.0.113.0/24", gateway: "192.0.2.1", mut: 1400 }],
    ipam: ["host-local"],
  };
  expect(problemsOf(wrong)).toMatchInlineSnapshot(
    `"ERR_NETWORK_CONFIG: 6 problems in network "blue": routes.0.DST: given twice, as dst too | routes.0.gateway: unknown key | routes.0.mut: unknown key, did you mean mtu? | ipam: expected an object like {"type": "host-local", ...}, got ["host-local"] | rings.rxx: unknown key, did you mean rx? | rings.constructor: unknown key"`,
  );
});

test.each([
  [{ vlan: 5 }, { vlan: 4095 }, "vlan: expected an integer from 0 to 4094, got 4095"],
  [{ vlan: 0 }, { vlan: "5" }, 'vlan: expected an integer from 0 to 4094, got "5"'],
  [{ vlan: 5, vlanQoS: 7 }, { vlan: 5, vlanQoS: 8 }, "vlanQoS: expected an integer from 0 to 7, got 8"],
  [{ vlan: 0, vlanQoS: 0 }, { vlanQoS: 3 }, "vlanQoS: expected nothing without a vlan other than 0, got 3"],
  [{ vlan: 5, vlanProto: "802.1AD" }, { vlanProto: "802.1ad" }, "vlanProto: expected nothing without a vlan"],
  [
    { vlan: 5, vlanProto: "802.1Q" },
    { vlan: 5, vlanProto: "8021q" },
    'vlanProto: expected "802.1q" or "802.1ad"',
  ],
  [{ mac: "02:AA:00:00:00:01" }, { mac: "01:00:5e:00:00:01" }, "mac: expected a unicast MAC address"],
  [{ mac: "" }, { mac: "02:aa" }, "mac: expected a unicast MAC address"],
  [{ mtu: 9000 }, { mtu: 67 }, "mtu: expected an integer from 68 to 65535, got 67"],
  [{ trust: "on" }, { trust: true }, 'trust: expected "on" or "off", got true'],
  [
    { link_state: "auto" },
    { link_state: "up" },
    'link_state: expected "auto", "enable" or "disable", got "up"',
  ],
  [{ link_state: "enable" }, { link_state: "enabled" }, "did you mean enable?"],
  [
    { min_tx_rate: 5, max_tx_rate: 0 },
    { min_tx_rate: 5, max_tx_rate: 4 },
    "at least min_tx_rate (5 Mbit/s), got 4",
  ],
  [{ ips: ["192.0.2.5/24"] }, { ips: ["192.0.2.5"] }, "ips.0: expected an address with its prefix length"],
  [
    { ips: ["2001:db8::5/64"], gateway: "2001:db8::1" },
    { gateway: "192.0.2.1" },
    "gateway: expected ips beside it",
  ],
  [
    { ipam: { type: "host-local" }, ips: ["192.0.2.5/24"], gateway: "192.0.2.1" },
    { ipam: { type: "host-local" }, gateway: "192.0.2.1" },
    "gateway: expected ips beside it, or none: an IPAM plugin tells its own",
  ],
  [
    { ipam: { type: "host-local" }, routes: [{ dst: "0.0.0.0/0" }] },
    { routes: [{ dst: "0.0.0.0/0" }] },
    "routes: expected ips or ipam beside it",
  ],
  [{ ipam: {} }, { ipam: { type: "../sh" } }, "ipam.type: expected a plugin's name without /"],
  [{ ipam: { type: "" } }, { ipam: { type: ".." } }, "ipam.type: expected a plugin's name"],
  [
    { pciBusID: "3b:02.1" },
    { pciBusID: "0000:3b:02.2" },
    "pciBusID: expected the same device as elsewhere (0000:3b:02.1)",
  ],
  [
    { runtimeConfig: { deviceID: "0000:3B:02.1" } },
    { runtimeConfig: { deviceID: "x" } },
    "runtimeConfig.deviceID: expected a PCI address",
  ],
  [{ withMultus: true }, { withMultus: "yes" }, 'withMultus: expected true or false, got "yes"'],
  [{ ifNamePrefix: "data" }, { ifNamePrefix: "a/b" }, "ifNamePrefix: expected at most 13 bytes"],
  [{ logLevel: "info" }, { logLevel: "trace" }, "logLevel: expected a level from panic to verbose"],
  [
    { logFile: "/var/log/a/b.log" },
    { logFile: "/var/log/../x" },
    "logFile: expected a file below /var/log, without ..",
  ],
  [{ logFile: "" }, { logFile: "/tmp/sriov.log" }, "logFile: expected a file below /var/log"],
  [{ capabilities: { mac: true } }, { capabilities: [] }, "capabilities: expected"],
  [
    { prevResult: { interfaces: null } },
    { prevResult: "x" },
    "prevResult: expected the result of the plugin before",
  ],
  [
    { prevResult: { interfaces: [{ name: "eth0" }], ips: null } },
    { prevResult: { interfaces: [{ name: 5 }], ips: ["192.0.2.1/24"], dns: "x" } },
    'prevResult.interfaces.0.name: expected a text, got 5 | prevResult.ips.0: expected an address, got "192.0.2.1/24" | prevResult.dns: expected an object, got "x"',
  ],
])("%j is taken, %j is refused", (right, wrong, problem) => {
  expect(problemsOf({ ...base, ...right })).toBe("");
  expect(problemsOf({ ...base, ...wrong })).toContain(problem);
});

test("routes carry what results write, with metric as another word for priority", () => {
  const route = { dst: "0.0.0.0/0", gw: "192.0.2.1", mtu: 1400, advmss: 1360, table: 100, scope: 0 };
  const config = { ...base, ips: ["192.0.2.5/24"], routes: [{ ...route, metric: 50 }] };
  expect(parse(config).networks[0]?.routes).toEqual([
    { ...route, dst: { family: 4, address: "0.0.0.0", prefixLength: 0 }, priority: 50 },
  ]);
  const wrong = { ...base, ips: ["192.0.2.5/24"], routes: [{ ...route, metric: 5, priority: 5, gw: "::1" }] };
  expect(problemsOf(wrong)).toMatchInlineSnapshot(
    `"ERR_NETWORK_CONFIG: 2 problems in network "blue": routes.0.metric: the same as priority, expected one of them | routes.0.gw: expected an address of the same family as dst, got "::1""`,
  );
});

const routed = { ...base, gateway: "192.0.2.1", routes: [{ dst: "0.0.0.0/0" }] };
const needed = "gateway: expected ips beside it | routes: expected ips or ipam beside it";

test("gateway and routes of a network go with addresses that the pod brings", () => {
  const ips = ["192.0.2.5/24"];
  expect(problemsOf(routed)).toContain(needed);
  for (const [config, args] of [
    [{ ...routed, runtimeConfig: { ips } }, ""],
    [{ ...routed, args: { cni: { ips } } }, ""],
    [routed, "IP=192.0.2.5/24"],
  ] as const) {
    expect(problemsOf(config, args)).toBe("");
    expect(parse(config, args).networks[0]).toMatchObject({
      gateway: "192.0.2.1",
      ips: [{ address: "192.0.2.5" }],
    });
  }
  const { deviceID: _none, ...chained } = base;
  const inList = { ...chained, networks: [{ gateway: "192.0.2.1" }], runtimeConfig: { ips } };
  expect(problemsOf(inList)).toBe("");
});

test.each([undefined, "ADD", "STATUS", "DEL"])(
  "where pods may bring addresses a network without is right until one brings none (%s)",
  (command) => {
    const call =
      command === undefined ? undefined : ({ command, containerId: "c1", ifName: "net1" } as Attachee);
    const problems = (config: object): string =>
      readConfig(config, parsePodArguments(""), call).problems.join(" | ");
    expect(problems({ ...routed, capabilities: { ips: true } })).toBe(command === "ADD" ? needed : "");
    expect(problems({ ...routed, capabilities: { ips: false } })).toBe(needed);
    expect(problems({ ...routed, capabilities: { ips: true }, vlan: "5" })).toContain("vlan: ");
    // With a delegate, of any network, what pods bring is a wish, and no address of the network's.
    const ipam = { type: "host-local" };
    expect(problems({ ...routed, capabilities: { ips: true }, ipam })).toBe(
      "gateway: expected ips beside it, or none: an IPAM plugin tells its own",
    );
    const { deviceID: _none, ...chained } = base;
    const networks = [{ gateway: "192.0.2.1" }, { resource: "sriov/fast", ipam }];
    expect(problems({ ...chained, capabilities: { ips: true }, networks })).toBe(
      "networks[0].gateway: expected ips beside it",
    );
  },
);

test.each([undefined, "", "a/b", 5])("the name %j is refused", (name) => {
  expect(problemsOf({ ...base, name })).toContain("name: expected letters, digits, _, . and -");
});

test("keys of runtimes and of the CNI library are passed over, in any case", () => {
  const foreign = {
    "cni.dev/valid-attachments": [],
    dns: { Servers: [] },
    PortMappings: [{ HostPort: 80 }],
    bandwidth: {},
    cgroupPath: "/x",
    disableCheck: true,
    disableGC: true,
    DisableGc: false,
    loadOnlyInlinedPlugins: true,
    cniVersions: ["1.0.0"],
    aliases: { blue: ["web"] },
    ipRanges: [[{ subnet: "192.0.2.0/24" }]],
    infinibandGUID: "02:00:00:00:00:00:00:01",
    runtimeConfig: { DNS: {}, cgroupPath: "/x", portMappings: [] },
  };
  expect(problemsOf({ ...base, ...foreign })).toBe("");
});

test("key case is ignored as Go's decoder does it, a key given twice is a problem", () => {
  expect(parse({ ...base, VLAN: 5, vlanqos: 2 }).networks[0]).toMatchObject({ vlan: 5, vlanQoS: 2 });
  expect(problemsOf({ ...base, vlan: 5, Vlan: 6 })).toContain("Vlan: given twice, as vlan too");
});

test.each(["0.1.0", "0.3.0", "1.2.0", undefined, 1])(
  "cniVersion %j is refused with the supported ones",
  (cniVersion) => {
    expect(problemsOf({ ...base, cniVersion })).toContain(
      "ERR_CNI_VERSION: cniVersion: expected one of 0.3.1, 0.4.0, 1.0.0",
    );
  },
);

test.each(["", "{", "[]", "null", '"x"', "1"])("stdin %j is no configuration", (stdin) => {
  expect(() => parseInput(stdin)).toThrow(expect.objectContaining({ code: "ERR_CNI_INPUT" }) as Error);
});

test("the MAC comes from runtimeConfig, then args.cni, then CNI_ARGS, then the file", () => {
  const file = { ...base, mac: "02:00:00:00:00:04" };
  const args = { cni: { mac: "02:00:00:00:00:02" } };
  const cniArgs = "IgnoreUnknown=1;MAC=02:00:00:00:00:03";
  const runtimeConfig = { mac: "02:00:00:00:00:01" };
  expect(macOf({ ...file, args, runtimeConfig }, cniArgs)).toBe("02:00:00:00:00:01");
  expect(macOf({ ...file, args }, cniArgs)).toBe("02:00:00:00:00:02");
  expect(macOf(file, cniArgs)).toBe("02:00:00:00:00:03");
  expect(macOf(file)).toBe("02:00:00:00:00:04");
  expect(problemsOf(file, "MAC=zz")).toContain("CNI_ARGS MAC: expected a unicast MAC address");
});

test("a pod can set nothing else of ours", () => {
  expect(problemsOf({ ...base, args: { cni: { vlan: 5, foo: 1 } } })).toContain(
    "args.cni.vlan: may not be set here",
  );
  expect(problemsOf(base, "Trust=on;FOO=1")).toContain("Trust: may not be set here");
});

test("networks are read one by one, and their keys do not stand beside them", () => {
  const { deviceID: _none, ...chained } = base;
  expect(problemsOf({ ...chained, vlan: 3, networks: [{ vlan: 4, mtuu: 9 }] })).toMatchInlineSnapshot(
    `"ERR_NETWORK_CONFIG: 2 problems in network "blue": vlan: expected inside networks, not beside it | networks[0].mtuu: unknown key, did you mean mtu?"`,
  );
  expect(problemsOf({ ...chained, networks: [{}, {}] })).toContain(
    'networks[1].resource: expected each resource once, got "sriov/vf"',
  );
  expect(problemsOf({ ...base, networks: [{}] })).toContain(
    "networks: expected nothing when a device is given",
  );
  expect(
    parse({ ...chained, networks: [{ resource: "sriov/fast", ifNamePrefix: "data", vlan: 9 }] }).networks,
  ).toMatchObject([{ resource: "sriov/fast", ifNamePrefix: "data", vlan: 9 }]);
  expect(parse(chained).networks).toMatchObject([{ resource: "sriov/vf", ifNamePrefix: "net" }]);
});
