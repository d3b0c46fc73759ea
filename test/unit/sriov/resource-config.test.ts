// Resource configurations: today's files as they stand, what is made of them, and every problem with its line.

import { expect, test } from "vitest";

import { parseResourceConfig, ResourceConfigError } from "../../../sriov/resource-config.ts";

const options = { path: "config.json", prefix: "sriov" };

test("a file of sriov-network-device-plugin is taken as it stands", () => {
  const pools = parse(`{
    "resourceList": [{
        "resourceName": "intel_sriov_netdevice",
        "selectors": {
            "vendors": ["8086"],
            "devices": ["154c", "10ed", "1889"],
            "drivers": ["i40evf", "iavf", "ixgbevf"]
        }
    }, {
        "resourceName": "intel_sriov_dpdk",
        "resourcePrefix": "intel.com",
        "selectors": {
            "vendors": ["8086"],
            "drivers": ["vfio-pci"],
            "pfNames": ["enp0s0f0","enp2s2f1#0,2-7"],
            "needVhostNet": true
        },
        "additionalInfo": { "*": { "token": "3e49019f-412f-4f02-824e-4cd195944205" } }
    }, {
        "resourceName": "mlnx_sriov_rdma",
        "resourcePrefix": "mellanox.com",
        "selectors": [
            {"vendors": ["15b3"], "devices": ["1018"], "isRdma": true},
            {"rootDevices": ["0000:86:00.0#0,2-7"]}
        ],
        "excludeTopology": true
    }, {
        "resourceName": "intel_fpga",
        "deviceType": "accelerator",
        "selectors": {"vendors": ["8086"], "devices": ["0d90"]}
    }, {
        "resourceName": "bf2_sf",
        "deviceType": "auxNetDevice",
        "selectors": [{"vendors": ["15b3"], "auxTypes": ["sf"]}]
    }]
  }`);
  expect(pools.map(({ name, deviceType, selectors }) => `${name} ${deviceType} ${selectors.length}`)).toEqual(
    [
      "sriov/intel_sriov_netdevice netDevice 1",
      "intel.com/intel_sriov_dpdk netDevice 1",
      "mellanox.com/mlnx_sriov_rdma netDevice 2",
      "sriov/intel_fpga accelerator 1",
      "sriov/bf2_sf auxNetDevice 1",
    ],
  );
  expect(pools[1]?.selectors[0]?.pfNames).toEqual([
    { pf: "enp0s0f0", ranges: [] },
    {
      pf: "enp2s2f1",
      ranges: [
        { first: 0, last: 0 },
        { first: 2, last: 7 },
      ],
    },
  ]);
  expect(pools[1]?.additionalInfo).toEqual({ "*": { token: "3e49019f-412f-4f02-824e-4cd195944205" } });
  expect(pools.map(({ excludeTopology }) => excludeTopology)).toEqual([false, false, true, false, false]);
});

test("what an operator marshals is taken, tabs and empty fields too", () => {
  const text =
    '{\n\t"resourceList": [{\n\t\t"resourceName": "nics",\n\t\t"selectors": ' +
    '{"pfNames": ["ens1f0#0-4"], "IsRdma": false, "NeedVhostNet": false, "vdpaType": ""}, "SelectorObj": null}]}';
  expect(parse(text)[0]?.selectors[0]).toMatchObject({ isRdma: false, vdpaType: undefined });
});

test("YAML says the same, and what is ours beside it", () => {
  const pools = parse(`
resourceList:
  - resourceName: fast
    resourcePrefix: example.com
    allocation: spread
    health: {linkDown: ignore}
    selectors:
      pfNames: [ens1f0#0-3] # the first half
      pciAddresses: [0000:3b:02.1]
`);
  expect(pools).toMatchObject([{ name: "example.com/fast", allocation: "spread", linkDown: "ignore" }]);
});

test("without selectors every device of the type is taken; pack and unhealthy are the defaults", () => {
  const [pool] = parse('{"resourceList": [{"resourceName": "all"}]}');
  expect(pool?.selectors).toHaveLength(1);
  expect(pool).toMatchObject({ allocation: "pack", linkDown: "unhealthy" });
});

test("limits and tuning of a resource, in the words of node.yaml", () => {
  const [limited, free] = parse(`
resourceList:
  - resourceName: fast
    limits: {vlans: [100, 200-299], trust: off}
    tuning: {policy: explicit, cpus: 4-7}
  - resourceName: slow
`);
  expect(limited?.rules).toMatchObject({
    limits: {
      vlans: [
        { first: 100, last: 100 },
        { first: 200, last: 299 },
      ],
      trust: false,
    },
    tuning: { policy: "explicit", cpus: [4, 5, 6, 7] },
  });
  expect(free?.rules).toEqual({ limits: undefined, tuning: undefined });
});

test("mistakes and contradictions in limits and tuning", () => {
  expect(
    problemsOf(`resourceList:
  - resourceName: a
    limits:
      vlans: [5000]
      trusted: on
      driver: vfio-pci
    tuning:
      policy: explicit
      rps: explicit
      housekeepingCpus: 0
  - resourceName: b
    deviceType: auxNetDevice
    limits: {trust: off}
    tuning: {policy: none}
  - resourceName: c
    limits: off
    tuning: follow-pod
`),
  ).toMatchInlineSnapshot(`
    [
      "line 4: resourceList[0].limits.vlans[0]: expected VLANs like 100 or 200-299, from 0 to 4094, got "5000"",
      "line 5: resourceList[0].limits.trusted: unknown key, did you mean trust?",
      "line 6: resourceList[0].limits.driver: unknown key",
      "line 8: resourceList[0].tuning.policy: explicit needs the key cpus",
      "line 9: resourceList[0].tuning.rps: explicit needs the key rpsCpus",
      "line 10: resourceList[0].tuning.housekeepingCpus: unknown key",
      "line 13: resourceList[1].limits: expected none for auxNetDevice, got {"trust":"off"}",
      "line 14: resourceList[1].tuning: expected none for auxNetDevice, got {"policy":"none"}",
      "line 16: resourceList[2].limits: expected an object, got "off"",
      "line 17: resourceList[2].tuning: expected an object, got "follow-pod"",
    ]
  `);
});

test("an empty list of resources is a configuration", () => {
  expect(parse('{"resourceList": []}')).toEqual([]);
});

test("every problem is told at once, with line, path, expected, got and the near name", () => {
  expect(
    problemsOf(`resourceList:
  - resourceName: a b
    selector: {}
    selectors:
      vendors: [8086]
      pfNames: ["ens1f0#5-2"]
      driver: [iavf]
  - resourceName: ok
    deviceType: netdevice
    allocation: packed
  - resourceName: fpga
    deviceType: accelerator
    selectors:
      - pfNames: [ens1f0]
      - isRdma: true
    health: {linkdown: never}
  - resourceName: ok
    resourcePrefix: kubernetes.io
    selectors: {isRdma: "yes", vdpaType: vhst}
  - resourceName: both
    selectors: {isRdma: true, vdpaType: vhost}
    selectors2: []
resources: []
`),
  ).toMatchInlineSnapshot(`
    [
      "line 2: resourceList[0].resourceName: expected a name of letters, digits, - and _, at most 63, got "a b"",
      "line 3: resourceList[0].selector: unknown key, did you mean selectors?",
      "line 5: resourceList[0].selectors.vendors[0]: expected a vendor id of four hex digits, like 8086, in quotes, got 8086",
      "line 6: resourceList[0].selectors.pfNames[0]: expected a PF's name, perhaps with VFs like ens1f0#0,2-7, got "ens1f0#5-2"",
      "line 7: resourceList[0].selectors.driver: unknown key, did you mean drivers?",
      "line 9: resourceList[1].deviceType: expected netDevice, accelerator, auxNetDevice, got "netdevice", did you mean netDevice?",
      "line 10: resourceList[1].allocation: expected pack, spread, same-pf or same-numa, got "packed", did you mean pack?",
      "line 14: resourceList[2].selectors[0].pfNames: unknown key",
      "line 15: resourceList[2].selectors[1].isRdma: unknown key",
      "line 16: resourceList[2].health.linkDown: expected unhealthy or ignore, got "never"",
      "line 18: resourceList[3].resourcePrefix: expected a domain like example.com, not kubernetes.io, got "kubernetes.io"",
      "line 19: resourceList[3].selectors.isRdma: expected true or false, got "yes"",
      "line 19: resourceList[3].selectors.vdpaType: expected "vhost" or "virtio", got "vhst", did you mean vhost?",
      "line 21: resourceList[4].selectors.vdpaType: expected nothing beside isRdma: a device is one or the other",
      "line 22: resourceList[4].selectors2: unknown key, did you mean selectors?",
      "line 23: resources: unknown key, did you mean resourceList?",
    ]
  `);
});

test("two resources of one name are told", () => {
  expect(problemsOf('{"resourceList": [{"resourceName": "a"},\n {"resourceName": "a"}]}')).toEqual([
    'line 2: resourceList[1].resourceName: expected a name other than that of resourceList[0], got "sriov/a"',
  ]);
});

test.each<[string, string, string]>([
  ["nothing", "", "line 1: configuration: expected an object, got null"],
  ["a list", "[]", "line 1: configuration: expected an object, got []"],
  ["no resources", "{}", "line 1: resourceList: expected a list of resources, got nothing"],
  ["one resource", '{"resourceList": {}}', "line 1: resourceList: expected a list of resources, got {}"],
  ["a text as resource", '{"resourceList":\n ["a"]}', 'line 2: resourceList[0]: expected an object, got "a"'],
])("a file with %s", (_, text, problem) => {
  expect(problemsOf(text)).toEqual([problem]);
});

test.each(['{"resourceList": [', "a: b: c", '{"resourceList": [], "resourceList": []}'])(
  "%s is no YAML, and the line is told",
  (text) => {
    expect(problemsOf(text)[0]).toMatch(/^line 1: /u);
  },
);

function parse(text: string) {
  return parseResourceConfig(text, options);
}

function problemsOf(text: string): readonly string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof ResourceConfigError)) throw error;
    return error.problems;
  }
}

test.each([
  [
    "anchors that grow beyond measure",
    `a0: &a0 [x]\n${[1, 2, 3, 4, 5, 6].map((at) => `a${at}: &a${at} [${`*a${at - 1},`.repeat(9)}]`).join("\n")}\nresourceList: []`,
  ],
  ["an anchor inside what it names", "resourceList: &a [*a]"],
  ["nesting without end", `{"resourceList": ${"[".repeat(50_000)}`],
  ["nesting too deep to be read", `{"resourceList": ${"[".repeat(3_000)}${"]".repeat(3_000)}}`],
])("%s is a problem, and told a few times at most", (_, text) => {
  const { length } = problemsOf(text);
  expect([1, 2, 3]).toContain(length);
});
