// Names of the CDI specification: what runtimes accept, for every resource.
import { expect, test } from "vitest";

import {
  formatCdiAnnotation,
  formatCdiFileName,
  formatCdiName,
  isOwnCdiFile,
} from "../../../deviceplugin/cdi-spec.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";

const address = parsePciAddress("0000:3b:02.1");

// Source: CDI pkg/parser, vendor and class names begin with a letter; a class has no dot.
test.each(["sriov/vf", "example.com/fast_net-1", "0.example/9"])("%s has a valid name", (resource) => {
  const name = formatCdiName(resource, address);
  expect(name).toMatch(/^[a-z][\w.-]*[a-z0-9]\/[a-z][\w-]*[a-z0-9]=[\w.:-]+$/i);
  expect(isOwnCdiFile(formatCdiFileName(resource))).toBe(true);
  const [key, value] = formatCdiAnnotation(resource, address);
  expect(value).toBe(name);
  expect(key).toMatch(/^cdi\.k8s\.io\/[a-z0-9][\w.-]{0,61}[a-z0-9]$/i);
});

test("what others wrote is not ours", () => {
  expect(isOwnCdiFile("example.com-gpu.json")).toBe(false);
  expect(isOwnCdiFile(".virtfn.sriov-net-vf.json.17.0a1b2c3d.tmp")).toBe(false);
});
