// The JSON Schema of a network configuration: every key is in it, with what it may be.

import { expect, test } from "vitest";

import { configEntries, podNetworkEntries } from "../../../cni/config-entries.ts";
import { formatNetworkSchema } from "../../run/network-schema.ts";

interface Schema {
  readonly properties: Readonly<Record<string, { readonly items?: Schema }>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
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

test("a value is described as the plugin's errors describe it", () => {
  expect(schema.properties["vlan"]).toEqual({
    type: "integer",
    description: "an integer from 0 to 4094",
    minimum: 0,
    maximum: 4094,
  });
  expect(schema.properties["vlanProto"]).toEqual({ type: "string", description: '"802.1q" or "802.1ad"' });
});
