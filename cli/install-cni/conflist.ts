// Decides what to do with a CNI configuration list so that virtfn is called after the cluster's own plugins.

import * as v from "valibot";
import { appendPlugin, removePlugin, replacePlugin } from "./conflist-text.ts";
import type { EntrySettings } from "./entry-file.ts";

/** What to do with a list: leave it (virtfn is in it), write `text` in its place, or leave it for the reason in `problem`. */
export type ConflistPlan =
  | { readonly kind: "keep" }
  | { readonly kind: "write"; readonly text: string }
  | { readonly kind: "refuse"; readonly problem: string };

/**
 * The capabilities that the chained entry asks the runtime for; the pod's annotations come by a capability of containerd's
 * and CRI-O's own, so that no API server is asked.
 */
const capabilities = { deviceID: true, mac: true, ips: true, "io.kubernetes.cri.pod-annotations": true };

const listSchema = v.looseObject({
  name: v.string(),
  cniVersion: v.optional(v.string(), "0.1.0"),
  cniVersions: v.optional(v.array(v.string()), []),
  plugins: v.pipe(v.array(v.looseObject({ type: v.string() })), v.minLength(1)),
});

/** The entry that the list is to have. */
export interface WantedEntry {
  readonly type: string;
  /** The CNI versions that the plugin answers to. */
  readonly supported: readonly string[];
  /** What the entry says besides `type` and `capabilities`; undefined leaves one that is there as it is. */
  readonly settings: EntrySettings | undefined;
}

/**
 * Plans the list `text`. Planning the planned text again keeps it.
 * Source: CNI SPEC.md, "Network configuration format"; an absent cniVersion is 0.1.0, and the runtime takes the highest of `cniVersions`.
 */
export function planConflist(text: string, wanted: WantedEntry): ConflistPlan {
  const { type, supported, settings } = wanted;
  const list = parseList(text);
  if (typeof list === "string") return refuse(list);
  const unknown = [list.cniVersion, ...list.cniVersions].find((version) => !supported.includes(version));
  if (unknown !== undefined) {
    const known = supported.join(", ");
    return refuse(`cniVersion: expected one that ${type} answers to (${known}), got ${unknown}`);
  }
  const ours = list.plugins.filter((plugin) => plugin.type === type);
  if (ours.length > 1) return refuse(`plugins: expected one entry of type ${type}, got ${ours.length}`);
  const entry = { type, capabilities, ...settings };
  const [present] = ours;
  if (present === undefined) return { kind: "write", text: appendPlugin(text, entry) };
  const isAsWanted = settings === undefined || JSON.stringify(present) === JSON.stringify(entry);
  if (isAsWanted) return { kind: "keep" };
  return { kind: "write", text: replacePlugin(text, list.plugins.indexOf(present), entry) };
}

const namedSchema = v.looseObject({
  type: v.optional(v.string()),
  plugins: v.optional(v.array(v.looseObject({ type: v.optional(v.string()) })), []),
});

/** Plans any configuration without entries of `type` behind other plugins; one that is nothing without them is refused. */
export function planConflistWithout(text: string, type: string): ConflistPlan {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), namedSchema), text);
  if (!parsed.success)
    return text.includes(JSON.stringify(type))
      ? refuse(`it names ${type}, and is not understood: take it out by hand`)
      : { kind: "keep" };
  const { plugins, type: only } = parsed.output;
  if (only === type || plugins[0]?.type === type)
    return refuse(`it has ${type} as the network of every pod: give the node another network first`);
  const at = plugins.findLastIndex((plugin) => plugin.type === type);
  if (at === -1) return { kind: "keep" };
  const rest = removePlugin(text, at);
  const plan = planConflistWithout(rest, type);
  return plan.kind === "keep" ? { kind: "write", text: rest } : plan;
}

/** The types of the plugins that a configuration calls, in order, a single plugin's too; `undefined` when it is not understood. */
export function listPluginTypes(text: string): readonly string[] | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), namedSchema), text);
  return parsed.success ? typesOf(parsed.output) : undefined;
}

function typesOf(configuration: v.InferOutput<typeof namedSchema>): readonly string[] {
  return [configuration, ...configuration.plugins].flatMap(({ type }) => type ?? []);
}

const multusSchema = v.looseObject({
  clusterNetwork: v.optional(v.string(), ""),
  delegates: v.optional(v.array(namedSchema)),
});

/** `named`: by a file's path or name, or what is no file; `types`: by its plugins, each delegate one or a list of them. */
type MultusNetwork = { readonly named: string } | { readonly types: readonly string[] };

/**
 * What Multus is told of the cluster's network; `undefined` where it finds that by itself. With a name the delegates count for
 * nothing. Source: multus-cni, docs/configuration.md.
 */
export function readMultusNetwork(text: string): MultusNetwork | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), multusSchema), text);
  if (!parsed.success) return undefined;
  const { clusterNetwork, delegates } = parsed.output;
  if (clusterNetwork !== "") return { named: clusterNetwork };
  return delegates && { types: delegates.flatMap(typesOf) };
}

function refuse(problem: string): ConflistPlan {
  return { kind: "refuse", problem };
}

/** The parsed list, or what is wrong with it. */
function parseList(text: string): v.InferOutput<typeof listSchema> | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return `expected JSON: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  const result = v.safeParse(listSchema, value);
  if (result.success) return result.output;
  return result.issues
    .map((issue) => `${v.getDotPath(issue) ?? "top level"}: ${describe(issue)}`)
    .join(" | ");
}

function describe(issue: v.BaseIssue<unknown>): string {
  if (issue.received === "undefined") return "is missing";
  return `expected ${issue.expected ?? "something else"}, got ${issue.received}`;
}
