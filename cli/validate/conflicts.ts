// What is wrong with configurations only together: limits of a resource and of a node.yaml that leave nothing to ask for.

import { findLimits, type NodeConfig, parseNodeConfig } from "../../sriov/node-config.ts";
import { readResourceDocument, ResourceConfigError, type ResourcePool } from "../../sriov/resource-config.ts";
import type { ConfigText } from "../../sriov/config-text.ts";
import { describeLimit, findContradictions } from "../../sriov/vf-limits.ts";
import { type ConfigPart, listConfigParts } from "./config-part.ts";
import { kindOf } from "./document-kind.ts";
import type { Finding } from "./validate-text.ts";

/** A file as it was named, with its text and the documents in it, or why there is none. */
export type FileText = { readonly file: string } & (
  | { readonly text: string; readonly documents: readonly ConfigText[] }
  | { readonly problem: string }
);

/** By file, what its resources and the given node.yaml files contradict each other in. Files that are wrong by themselves have none. */
export function findConflicts(
  files: readonly FileText[],
  prefix: string,
): ReadonlyMap<FileText, readonly Finding[]> {
  const read = files
    .filter((one) => "text" in one)
    .map((one) => ({ one, parts: listConfigParts(one.documents) }));
  const nodes = groupByResource(read.flatMap(({ one, parts }) => listNodes(one.file, parts)));
  return new Map(
    read.map(({ one, parts }) => {
      const ofResources = parts.filter(({ value }) => kindOf(value) === "resources");
      return [one, ofResources.flatMap((part) => findInPart(part, prefix, nodes))] as const;
    }),
  );
}

interface Node {
  /** The file, and in a ConfigMap the key. */
  readonly where: string;
  readonly config: NodeConfig;
}

function listNodes(file: string, parts: readonly ConfigPart[]): readonly Node[] {
  return parts
    .filter(({ value }) => kindOf(value) === "node")
    .map(({ key, value }) => ({
      where: key === "" ? file : `${file} (${key})`,
      config: parseNodeConfig(value).config,
    }));
}

/** By resource name, or `*`, the node.yaml files that limit it. */
type NodesByResource = ReadonlyMap<string, readonly Node[]>;

function groupByResource(nodes: readonly Node[]): NodesByResource {
  const entries = nodes.flatMap((node) => [...node.config.limits.keys()].map((name) => ({ name, node })));
  const groups = Map.groupBy(entries, ({ name }) => name);
  return new Map([...groups].map(([name, group]) => [name, group.map(({ node }) => node)]));
}

function findInPart(part: ConfigPart, prefix: string, nodes: NodesByResource): readonly Finding[] {
  if (nodes.size === 0) return [];
  return readPools(part.document, prefix).flatMap((pool, at) => {
    const others = nodes.get("*")?.filter(({ config }) => !config.limits.has(pool.name)) ?? [];
    return [...(nodes.get(pool.name) ?? []), ...others].flatMap((node) => findInPool(part, pool, at, node));
  });
}

function readPools(document: ConfigText, prefix: string): readonly ResourcePool[] {
  try {
    return readResourceDocument(document, { path: "", prefix }).pools;
  } catch (error) {
    if (error instanceof ResourceConfigError) return [];
    throw error;
  }
}

function findInPool(
  { key, placeOf }: ConfigPart,
  { name, rules: { limits } }: ResourcePool,
  at: number,
  { where, config }: Node,
): readonly Finding[] {
  const ofNode = findLimits(config, name);
  if (limits === undefined || ofNode === undefined) return [];
  return findContradictions(limits, ofNode).map((limit) => {
    const path = `resourceList[${at}].limits.${limit}`;
    const allowed = `${describeLimit(limits, limit)} here, ${describeLimit(ofNode, limit)} in ${where}`;
    const told = `${path}: expected a value that both allow to ${name}, got ${allowed}`;
    const { line, column } = placeOf(path);
    return { line, column, problem: key === "" ? told : `${key}: ${told}` };
  });
}
