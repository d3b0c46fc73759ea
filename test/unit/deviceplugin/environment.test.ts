// The variables a container gets: names and JSON that today's workloads read.
import { expect, test } from "vitest";

import { formatEnvironment, formatVariableName } from "../../../deviceplugin/environment.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";

test.each([
  ["sriov/vf", "PCIDEVICE_SRIOV_VF"],
  ["intel.com/intel_sriov_netdevice", "PCIDEVICE_INTEL_COM_INTEL_SRIOV_NETDEVICE"],
  ["example.com/fast-net", "PCIDEVICE_EXAMPLE_COM_FAST-NET"],
])("%s is %s", (resource, name) => {
  expect(formatVariableName(resource)).toBe(name);
});

test("the addresses keep their order, and each has its section in the JSON", () => {
  const ids = ["0000:3b:02.1", "0000:3b:02.0"];
  const info = ids.map((id) => [parsePciAddress(id), { generic: { deviceID: id } }] as const);
  expect(formatEnvironment("sriov/vf", new Map(info))).toEqual({
    PCIDEVICE_SRIOV_VF: "0000:3b:02.1,0000:3b:02.0",
    PCIDEVICE_SRIOV_VF_INFO:
      '{"0000:3b:02.1":{"generic":{"deviceID":"0000:3b:02.1"}},"0000:3b:02.0":{"generic":{"deviceID":"0000:3b:02.0"}}}',
  });
});
