// The JSON Schema of a network configuration: every key is in it, with what it may be.

import { expect, test } from "vitest";

import { configEntries, podNetworkEntries } from "../../../cni/config-entries.ts";
import { readConfig } from "../../../cni/config.ts";
import { parsePodArguments } from "../../../cni/pod-arguments.ts";
import { supportedVersions } from "../../../cni/spoken-versions.ts";
import { isForeignKey } from "../../../cni/config-keys.ts";
import { foreignKeys, formatNetworkSchema } from "../../run/network-schema.ts";

interface Schema {
  readonly properties: Readonly<Record<string, Omit<Schema, "properties"> & { readonly items?: Schema }>>;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly type?: string;
  readonly pattern?: string;
  readonly additionalProperties?: boolean;
  readonly patternProperties?: object;
}

const schema = JSON.parse(formatNetworkSchema()) as Schema;

test("every key of the top and of a network is there, and only those", () => {
  const { networks } = schema.properties;
  expect(Object.keys(schema.properties).toSorted()).toEqual(Object.keys(configEntries).toSorted());
  expect(Object.keys(networks?.items?.properties ?? {}).toSorted()).toEqual(
    Object.keys(podNetworkEntries).toSorted(),
  );
  expect(networks?.items?.additionalProperties).toBe(false);
  expect(schema.required).toContain("name");
});

test("at the top a key that the plugin does not know is none, and what it passes over is let through", () => {
  expect(schema.additionalProperties).toBe(false);
  const [pattern = "", ...more] = Object.keys(schema.patternProperties ?? {});
  expect(more).toEqual([]);
  const isLetThrough = new RegExp(pattern, "u");
  const keys = [
    "dns",
    "cni.dev/valid-attachments",
    "disableGC",
    "portMappings",
    "cgroupPath",
    "vlanQs",
    "x",
    "dnss",
    "xcni.dev/a",
  ];
  for (const key of keys) {
    const input = { cniVersion: "1.0.0", name: "a", [key]: {} };
    const { problems } = readConfig(input, parsePodArguments(""));
    expect([key, isLetThrough.test(key)]).toEqual([key, problems.length === 0]);
  }
  for (const key of foreignKeys)
    expect([key, isForeignKey(key), isLetThrough.test(key)]).toEqual([key, true, true]);
});

test("a value is described as the plugin's errors describe it", () => {
  expect(schema.properties["vlan"]).toEqual({
    type: "integer",
    description: "an integer from 0 to 4094",
    minimum: 0,
    maximum: 4094,
  });
  expect(schema.properties["vlanProto"]).toMatchObject({
    type: "string",
    description: '"802.1q" or "802.1ad"',
  });
});

test("the version is one of those that the plugin speaks, and must be there", () => {
  expect(schema.properties["cniVersion"]?.enum).toEqual(supportedVersions);
  expect(schema.required).toContain("cniVersion");
});

test.each(["capabilities", "runtimeConfig", "args"])("%s is an object", (key) => {
  expect(schema.properties[key]?.type).toBe("object");
});

test.each([
  ["mac", ["02:aa:bb:cc:dd:01", "02-AA-BB-CC-DD-01"], ["01:aa:bb:cc:dd:01", "02:aa:bb:cc:dd", "x"]],
  ["vlanProto", ["802.1q", "802.1AD"], ["802.1x", "802.1qq"]],
  ["deviceID", ["0000:3b:02.1", "3B:02.7"], ["0000:3b:02", "0000:3b:02.8", "ens1f0"]],
  ["pciBusID", ["0000:3b:02.1"], ["0000:3b:20.0"]],
])("%s has a pattern, of what the plugin takes", (key, right, wrong) => {
  const pattern = new RegExp(schema.properties[key]?.pattern ?? "", "u");
  for (const text of [...right, ...wrong]) {
    const input = { cniVersion: "1.0.0", name: "a", vlan: 5, [key]: text };
    const { problems } = readConfig(input, parsePodArguments(""));
    expect([text, problems.length === 0]).toEqual([text, right.includes(text)]);
    expect([text, pattern.test(text)]).toEqual([text, right.includes(text)]);
  }
});
