// The JSON Schema of a network configuration, made from the schemas that the CNI plugin itself reads it with.

import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";

import { configEntries, podNetworkEntries } from "../../cni/config-entries.ts";
import { supportedVersions } from "../../cni/spoken-versions.ts";

const title = "virtfn network configuration";

/** What code checks, as patterns; by what is expected. No pattern refuses what the plugin takes. */
const patterns: ReadonlyMap<string, string> = new Map([
  [
    "a unicast MAC address like 0a:1b:2c:3d:4e:5f",
    "^\\s*[0-9A-Fa-f][02468ACEace](?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})\\s*$",
  ],
  ['"802.1q" or "802.1ad"', "^802\\.1(?:[Qq]|[Aa][Dd])$"],
  ["a PCI address", "^\\s*(?:[0-9A-Fa-f]{1,8}:)?[0-9A-Fa-f]{2}:[01][0-9A-Fa-f]\\.[0-7]\\s*$"],
]);

/** Keys of others as they are spelt, which the plugin passes over in any case; those of cni.dev/ besides. */
export const foreignKeys = [
  "aliases",
  "bandwidth",
  "cgroupPath",
  "cniVersions",
  "disableCheck",
  "disableGC",
  "dns",
  "infinibandGUID",
  "ipRanges",
  "loadOnlyInlinedPlugins",
  "portMappings",
] as const;

/**
 * JSON text of the schema (draft 2020-12). What each value is expected to be is told as the plugin's errors tell it. The plugin is stricter than the
 * schema where a rule is code: it also refuses keys that contradict each other.
 */
export function formatNetworkSchema(): string {
  const networks = v.pipe(v.array(v.strictObject(podNetworkEntries)), v.minLength(1));
  const versions = v.picklist(supportedVersions, `one of ${supportedVersions.join(", ")}`);
  const top = v.looseObject({ ...configEntries, cniVersion: versions, networks: v.optional(networks) });
  const schema = toJsonSchema(top, {
    target: "draft-2020-12",
    errorMode: "ignore",
    // What may be written: some values are taken in any case.
    typeMode: "input",
    overrideSchema: ({ valibotSchema, jsonSchema }) => {
      const text = "message" in valibotSchema ? valibotSchema.message : undefined;
      if (typeof text !== "string") return undefined;
      const pattern = jsonSchema.type === "string" ? patterns.get(text) : undefined;
      const type = text === "an object" ? { type: "object" as const } : {};
      return { ...jsonSchema, ...type, description: text, ...(pattern === undefined ? {} : { pattern }) };
    },
  });
  const others = { [`^(?:cni\\.dev/.*|${foreignKeys.join("|")})$`]: {} };
  const whole = { ...schema, patternProperties: others, additionalProperties: false, title };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}
