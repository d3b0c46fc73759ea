// The JSON Schema of a network configuration, made from the schemas that the CNI plugin itself reads it with.

import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";

import { configEntries, podNetworkEntries } from "../../cni/config-entries.ts";

const title = "virtfn network configuration";

/**
 * JSON text of the schema (draft 2020-12). What each value is expected to be is told as the plugin's errors tell it. The plugin is stricter than the
 * schema where a rule is code: it also refuses keys that contradict each other.
 */
export function formatNetworkSchema(): string {
  const networks = v.pipe(v.array(v.strictObject(podNetworkEntries)), v.minLength(1));
  const top = v.looseObject({ ...configEntries, networks: v.optional(networks) });
  const schema = toJsonSchema(top, {
    target: "draft-2020-12",
    errorMode: "ignore",
    // What may be written: some values are taken in any case.
    typeMode: "input",
    overrideSchema: ({ valibotSchema, jsonSchema }) => {
      const text = "message" in valibotSchema ? valibotSchema.message : undefined;
      return typeof text === "string" ? { ...jsonSchema, description: text } : undefined;
    },
  });
  return `${JSON.stringify({ ...schema, title }, undefined, 2)}\n`;
}
