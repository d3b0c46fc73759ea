// What is wrong with configurations only together: limits of a resource and of a node.yaml that leave nothing to ask for.

import { type ConfigText, parseConfigTexts } from "../../sriov/config-text.ts";
import { findLimits, type NodeConfig, parseNodeConfig } from "../../sriov/node-config.ts";
import { parseResourceConfig, ResourceConfigError, type ResourcePool } from "../../sriov/resource-config.ts";
import { describeLimit, findContradictions } from "../../sriov/vf-limits.ts";
import { kindOf } from "./document-kind.ts";
import type { Finding } from "./validate-text.ts";

/** A file as it was named, with its text or why there is none. */
export type FileText = { readonly file: string } & ({ readonly text: string } | { readonly problem: string });

/** By file, what its resources and the given node.yaml files contradict each other in. Files that are wrong by themselves have none. */
export function findConflicts(
  files: readonly FileText[],
  prefix: string,
): ReadonlyMap<FileText, readonly Finding[]> {
  const read = files.filter((one) => "text" in one);
  const nodes = read.flatMap(({ file, text }) => readNodes(text).map((config) => ({ file, config })));
  return new Map(
    read.map((one) => [one, nodes.flatMap((node) => findWithNode(one.text, prefix, node))] as const),
  );
}

interface Node {
  readonly file: string;
  readonly config: NodeConfig;
}

function readNodes(text: string): readonly NodeConfig[] {
  return parseConfigTexts(text)
    .filter(({ value, faults }) => faults.length === 0 && kindOf(value) === "node")
    .map(({ value }) => parseNodeConfig(value).config);
}

function findWithNode(text: string, prefix: string, node: Node): readonly Finding[] {
  return parseConfigTexts(text)
    .filter(({ value, faults }) => faults.length === 0 && kindOf(value) === "resources")
    .flatMap((document) =>
      readPools(text, prefix).flatMap((pool, at) => findInPool(document, pool, at, node)),
    );
}

function readPools(text: string, prefix: string): readonly ResourcePool[] {
  try {
    return parseResourceConfig(text, { path: "", prefix });
  } catch (error) {
    if (error instanceof ResourceConfigError) return [];
    throw error;
  }
}

function findInPool(
  document: ConfigText,
  { name, rules: { limits } }: ResourcePool,
  at: number,
  { file, config }: Node,
): readonly Finding[] {
  const ofNode = findLimits(config, name);
  if (limits === undefined || ofNode === undefined) return [];
  return findContradictions(limits, ofNode).map((key) => {
    const path = `resourceList[${at}].limits.${key}`;
    const allowed = `${describeLimit(limits, key)} here, ${describeLimit(ofNode, key)} in ${file}`;
    const { line, column } = document.placeOf(path);
    return { line, column, problem: `${path}: expected a value that both allow to ${name}, got ${allowed}` };
  });
}
