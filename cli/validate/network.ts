// Network configurations and lists of plugins, checked by the CNI plugin's own reader.

import { readConfig } from "../../cni/config.ts";
import { VersionError } from "../../cni/errors.ts";
import { parsePodArguments } from "../../cni/pod-arguments.ts";
import { ConfigError, type ConfigProblem, describeValue, suggest } from "../../sriov/config-problems.ts";
import { memberOf } from "./document-kind.ts";

/** Names under which the plugin may be installed. */
const ownTypes: ReadonlySet<unknown> = new Set(["virtfn", "sriov"]);

/** Problems of one configuration; one of another plugin has none. */
export function checkNetwork(value: unknown): readonly ConfigProblem[] {
  const type = memberOf(value, "type");
  if (type !== undefined && !ownTypes.has(type)) return isNearlyOurs(type) ? [describeType(type)] : [];
  try {
    return readConfig(value as object, parsePodArguments("")).problems;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    // Its message starts with the key.
    if (error instanceof VersionError) return [error.message, ...checkNetwork(withVersion(value))];
    throw error;
  }
}

/** Problems of a list: its own keys, and those of our entry, which may be there once. */
export function checkPluginList(value: unknown): readonly ConfigProblem[] {
  const [name, cniVersion, plugins] = ["name", "cniVersion", "plugins"].map((key) => memberOf(value, key));
  if (!Array.isArray(plugins)) return ["plugins: expected a list"];
  const own = [...plugins.entries()].filter(([, plugin]) => ownTypes.has(memberOf(plugin, "type")));
  const problems = own.flatMap(([at, plugin]) =>
    // As the CNI library does: name and version of a list go into each of its plugins.
    checkNetwork({ ...plugin, name, cniVersion }).map((problem) =>
      /^(?:name|cniVersion): /.test(problem) ? problem : `plugins[${at}].${problem}`,
    ),
  );
  for (const [at, plugin] of plugins.entries()) {
    const type = memberOf(plugin, "type");
    if (isNearlyOurs(type)) problems.push(`plugins[${at}].${describeType(type)}`);
  }
  const second = own[1]?.[0];
  if (second !== undefined && memberOf(own[0]?.[1], "deviceID") === undefined)
    problems.push(`plugins[${second}]: expected one entry of virtfn, got a second one`);
  return [...new Set(problems)];
}

function isNearlyOurs(type: unknown): type is string {
  return typeof type === "string" && !ownTypes.has(type) && suggest(type, ["virtfn"]) !== "";
}

function describeType(type: string): ConfigProblem {
  return describeValue("type", "virtfn", type);
}

function withVersion(value: unknown): object {
  return { ...(value as object), cniVersion: "1.0.0" };
}
