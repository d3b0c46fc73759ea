// The JSON Schema of the Helm chart's values, made from what a value may be, as it is here.

import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";

import { podNetworkEntries } from "../../cni/config-entries.ts";

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const folder = v.pipe(v.string(), v.regex(/^\/\S*[^/\s]$/, "an absolute path without a slash at its end"));
const name = v.pipe(v.string(), v.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "a DNS label"));
const fileName = v.pipe(v.string(), v.regex(/^(\w[\w.-]*)?$/, "a file name"));
const quantities = v.record(v.string(), v.union([v.string(), v.number()]));
const texts = v.record(v.string(), v.string());
const anything = v.looseObject({});

/** What values.yaml may say. `deviceplugin` and more of the networks than their keys are checked by the programs. */
export const chartValues = v.strictObject({
  image: v.strictObject({
    repository: v.pipe(v.string(), v.minLength(1)),
    tag: v.string(),
    pullPolicy: v.picklist(["", "Always", "IfNotPresent", "Never"]),
  }),
  imagePullSecrets: v.array(v.strictObject({ name: v.string() })),
  namespace: v.strictObject({ create: v.boolean(), name }),
  deviceplugin: anything,
  networks: v.array(v.strictObject(podNetworkEntries)),
  chained: v.boolean(),
  cniName: fileName,
  cdi: v.boolean(),
  provision: v.boolean(),
  report: v.boolean(),
  selinux: v.boolean(),
  udevRule: v.boolean(),
  uninstall: v.boolean(),
  paths: v.strictObject({ cniBin: folder, cniConf: folder, kubelet: folder }),
  ports: v.strictObject({ deviceplugin: port, tuning: port, installCni: port, uninstall: port }),
  resources: v.strictObject({ requests: v.optional(quantities), limits: v.optional(quantities) }),
  maxUnavailable: v.union([
    v.pipe(v.number(), v.integer(), v.minValue(1)),
    v.pipe(v.string(), v.regex(/^\d+%$/)),
  ]),
  priorityClassName: v.string(),
  nodeSelector: texts,
  tolerations: v.array(anything),
  affinity: anything,
  podAnnotations: texts,
});

/**
 * JSON text of the schema (draft 7, which every Helm 3 reads). Helm has put the defaults in before it checks. Of the networks no
 * pattern is in it: Helm's are Go's, which cannot look ahead.
 */
export function formatChartValuesSchema(): string {
  const config = { target: "draft-07", errorMode: "ignore", typeMode: "input" } as const;
  const { $schema: _same, ...networks } = toJsonSchema(chartValues.entries.networks, {
    ...config,
    ignoreActions: ["regex"],
  });
  const schema = toJsonSchema(
    v.strictObject({ ...chartValues.entries, networks: v.array(v.unknown()) }),
    config,
  );
  const properties = { ...schema.properties, networks };
  return `${JSON.stringify({ ...schema, title: "Values of the chart virtfn", properties }, undefined, 2)}\n`;
}
