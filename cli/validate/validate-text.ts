// One file: its documents, what each of them is, and every problem with its place.

import { parseConfigText, parseConfigTexts, type ConfigText, type Place } from "../../sriov/config-text.ts";
import { parseNodeConfig } from "../../sriov/node-config.ts";
import { readResourceDocument, ResourceConfigError } from "../../sriov/resource-config.ts";
import { listConfigMapFiles } from "./config-map.ts";
import { join, placeIn } from "./config-part.ts";
import { describeKind, kindOf, memberOf } from "./document-kind.ts";
import { findJsonFault } from "./json-fault.ts";
import { checkNetwork, checkPluginList } from "./network.ts";

/** A problem, and where it stands. Counted from 1. */
export interface Finding extends Place {
  readonly problem: string;
}

export interface ValidatedFile {
  readonly file: string;
  /** What its documents are: `network configuration "blue"`. */
  readonly documents: readonly string[];
  /** In the order of the file; none when all is right. */
  readonly problems: readonly Finding[];
}

/** Reads `text` of the file `file` as the programs will. */
export function validateText(file: string, text: string, unnamed: Unnamed): ValidatedFile {
  return validateDocuments(file, { text, documents: parseConfigTexts(text) }, unnamed);
}

/** The same, where the text's documents are parsed already. */
export function validateDocuments(
  file: string,
  { text, documents }: ParsedText,
  unnamed: Unnamed,
): ValidatedFile {
  const full = documents.filter(({ value, faults }) => value !== null || faults.length > 0);
  if (full.length === 0)
    return { file, documents: [], problems: [{ line: 1, column: 1, problem: "the file is empty" }] };
  const problems = full.flatMap((document) =>
    checkDocument(document, document.value, "", { text, ...unnamed }),
  );
  const second = documents.length > 1 ? findSecondDocument(full, text) : [];
  const sorted = [...problems, ...second].toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { file, documents: full.map(({ value }) => describeKind(value)), problems: sorted };
}

interface ParsedText {
  readonly text: string;
  readonly documents: readonly ConfigText[];
}

/** What stands in for what a file leaves out. */
interface Unnamed {
  /** Of a resource without a prefix. */
  readonly prefix: string;
  /** Of a network configuration without a name. */
  readonly name?: string | undefined;
}

interface Source extends Unnamed {
  readonly text: string;
}

/** Problems of the value that stands at `path` of `document`. */
function checkDocument(
  document: ConfigText,
  value: unknown,
  path: string,
  source: Source,
): readonly Finding[] {
  if (document.faults.length > 0) return document.faults;
  const kind = kindOf(value);
  const place = (problems: readonly string[]): readonly Finding[] =>
    problems.map((problem) => ({ ...document.placeOf(join(path, pathOf(problem))), problem }));
  switch (kind) {
    case "network":
      return [...findNoJson(source.text), ...place(checkNetwork(withName(value, source.name)))];
    case "list":
      return [...findNoJson(source.text), ...place(checkPluginList(withName(value, source.name)))];
    case "entry":
      return place(checkNetwork({ cniVersion: "1.0.0", name: "entry", ...(value as object) }));
    case "node":
      return place(parseNodeConfig(value).problems);
    case "resources":
      return place(checkResources(document, source.prefix));
    case "definition":
      return checkDefinition(document, value, path, source);
    case "configMap":
      return checkConfigMap(document, value, path, source);
    case "items":
      return (memberOf(value, "items") as readonly unknown[]).flatMap((item, at) =>
        checkDocument(document, item, join(path, `items[${at}]`), source),
      );
    case "unknown":
      return place([`${path}: expected ${expectedKinds}, got none of them`.replace(/^: /, "")]);
  }
}

const expectedKinds =
  "a network configuration (name, type), a list of plugins, a NetworkAttachmentDefinition, a ConfigMap, resourceList, networks, or keys of node.yaml";

// The configuration of a NetworkAttachmentDefinition is JSON in a text; Source: its specification, 4.1.
function checkDefinition(
  document: ConfigText,
  value: unknown,
  path: string,
  { prefix }: Source,
): readonly Finding[] {
  const config = memberOf(memberOf(value, "spec"), "config");
  if (config === undefined || config === "") return [];
  const name = memberOf(memberOf(value, "metadata"), "name");
  // Multus gives it the object's name.
  const unnamed = { prefix, name: typeof name === "string" ? name : undefined };
  return checkInside(document, config, { path, key: "spec.config", expected: "JSON in a text" }, unnamed);
}

// Each key becomes a file of the programs.
function checkConfigMap(
  document: ConfigText,
  value: unknown,
  path: string,
  { prefix }: Source,
): readonly Finding[] {
  return listConfigMapFiles(value).flatMap(({ key, text, isEncoded }) =>
    checkInside(document, text, { path, key, expected: "a text", isEncoded }, { prefix }),
  );
}

interface Inside {
  /** Of the object in its document. */
  readonly path: string;
  /** Of the text in the object. */
  readonly key: string;
  readonly expected: string;
  readonly isEncoded?: boolean;
}

/** Problems of a configuration that is a text in an object, at their places in the document as far as that can be told. */
function checkInside(
  document: ConfigText,
  text: unknown,
  { path, key, expected, isEncoded = false }: Inside,
  unnamed: Unnamed,
): readonly Finding[] {
  const at = join(path, key);
  if (typeof text !== "string") return [{ ...document.placeOf(at), problem: `${key}: expected ${expected}` }];
  return validateText("", text, unnamed).problems.map(({ problem, ...inner }) => {
    const { line, column } = placeIn(document, at, isEncoded ? undefined : inner);
    return { line, column, problem: `${key}: ${problem}` };
  });
}

// Programs read these as one document, and refuse the file for a second one.
function findSecondDocument(documents: readonly ConfigText[], text: string): readonly Finding[] {
  const isOne = documents.some(({ value }) => ["node", "entry", "resources"].includes(kindOf(value)));
  return isOne && documents.every(({ faults }) => faults.length === 0) ? parseConfigText(text).faults : [];
}

// The runtime reads these as JSON; YAML takes more than that.
function findNoJson(text: string): readonly Finding[] {
  const fault = isJson(text) ? undefined : findJsonFault(text);
  if (fault === undefined) return [];
  const before = text.slice(0, fault.at).split("\n");
  return [{ line: before.length, column: (before.at(-1)?.length ?? 0) + 1, problem: fault.problem }];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function withName(value: unknown, name: string | undefined): unknown {
  return name === undefined || memberOf(value, "name") !== undefined ? value : { ...(value as object), name };
}

function checkResources(document: ConfigText, prefix: string): readonly string[] {
  try {
    readResourceDocument(document, { path: "", prefix });
    return [];
  } catch (error) {
    if (!(error instanceof ResourceConfigError)) throw error;
    return error.problems.map((problem) => problem.replace(/^line \d+: /, ""));
  }
}

function pathOf(problem: string): string {
  return problem.slice(0, Math.max(0, problem.indexOf(": ")));
}
