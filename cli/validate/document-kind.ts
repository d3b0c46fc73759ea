// What a document is, by its keys: the programs' configurations have no common word that would tell.

export type Kind =
  | "network"
  | "list"
  | "entry"
  | "node"
  | "resources"
  | "definition"
  | "configMap"
  | "items"
  | "unknown";

/** The kind of a parsed document. */
export function kindOf(value: unknown): Kind {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "unknown";
  const keys = new Set(Object.keys(value).map((key) => key.toLowerCase()));
  if (memberOf(value, "kind") === "NetworkAttachmentDefinition") return "definition";
  if (memberOf(value, "kind") === "ConfigMap") return "configMap";
  if (keys.has("kind") && Array.isArray(memberOf(value, "items"))) return "items";
  if (keys.has("kind") || keys.has("apiversion")) return "unknown";
  if (keys.has("plugins")) return "list";
  if (keys.has("resourcelist")) return "resources";
  if (keys.has("cniversion") || keys.has("type") || keys.has("name")) return "network";
  if (keys.has("networks") || keys.has("pf")) return "entry";
  return ["pfs", "allowedpodpolicies", "limits", "tuning"].some((key) => keys.has(key)) ? "node" : "unknown";
}

/** The document in words, with its name where it has one. */
export function describeKind(value: unknown): string {
  const kind = kindOf(value);
  const isObject = kind === "definition" || kind === "configMap";
  const name = memberOf(isObject ? memberOf(value, "metadata") : value, "name");
  const named = typeof name === "string" ? ` ${JSON.stringify(name)}` : "";
  return `${words[kind]}${kind === "items" ? "" : named}`;
}

const words: Readonly<Record<Kind, string>> = {
  network: "network configuration",
  list: "plugin list",
  entry: "chained entry",
  node: "node.yaml",
  resources: "resource configuration",
  definition: "NetworkAttachmentDefinition",
  configMap: "ConfigMap",
  items: "list of objects",
  unknown: "unknown",
};

/** The member of that name, in any case; undefined where there is none. */
export function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1];
}
