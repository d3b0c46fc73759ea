// A configuration as text, YAML or JSON: its value, and where each part of it stands.

import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  parseDocument,
} from "yaml";

import type { ConfigProblem } from "./config-problems.ts";
import { mapScalar } from "./config-scalar.ts";
import { findTwinKeys } from "./twin-keys.ts";

/** Counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ConfigText {
  readonly value: unknown;
  /** What is no YAML at all, and keys given twice; each with its line. */
  readonly problems: readonly ConfigProblem[];
  /** The same, each with its place. */
  readonly faults: readonly (Place & { readonly problem: ConfigProblem })[];
  /** The line of a path like "resourceList[0].selectors", or of the part above it that is there. */
  lineOf(path: string): number;
  /** As `lineOf`, with the column. */
  placeOf(path: string): Place;
  /** Where `inner` of the text that stands at `path` is in this one; undefined behind its end. */
  placeInside(path: string, inner: Place): Place | undefined;
}

interface Noted extends Place {
  readonly node: Node | undefined;
}

/** Parses YAML 1.2, of which JSON is a part. */
export function parseConfigText(text: string): ConfigText {
  const lines = new LineCounter();
  return toConfigText(parseDocument(text, { lineCounter: lines, ...options }), lines, text);
}

/** As `parseConfigText`, for each document of a YAML file. */
export function parseConfigTexts(text: string): readonly ConfigText[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, ...options });
  return Array.isArray(documents) ? documents.map((document) => toConfigText(document, lines, text)) : [];
}

/** Keys given twice are looked for here. */
const options = { prettyErrors: false, uniqueKeys: false } as const;

function toConfigText(document: Document.Parsed, lines: LineCounter, text: string): ConfigText {
  const placeAt = (offset: number | undefined): Place => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const byPath = new Map<string, Noted>();
  const { value, problem: unread } = readValue(document, (path, at, node) =>
    byPath.set(path, { ...placeAt(at), node }),
  );
  const errors = [
    ...document.errors.map(({ code, message, pos }) => ({
      at: pos[0],
      problem: code === "MULTIPLE_DOCS" ? secondDocument : message,
    })),
    ...findTwinKeys(document.contents).map(({ at, key }) => ({ at, problem: `${key}: given twice` })),
  ]
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, problem }) => {
      const { line, column } = placeAt(at);
      return { line, column, problem };
    });
  const unreadable = unread === undefined ? [] : [{ line: 1, column: 1, problem: unread }];
  const faults = withoutRepetition(errors.length > 0 ? errors : unreadable);
  const maps = new Map<Node, ReturnType<typeof mapScalar> | undefined>();
  const mapOf = (node: Node): ReturnType<typeof mapScalar> | undefined => {
    if (!maps.has(node)) maps.set(node, mapNode(text, node));
    return maps.get(node);
  };
  const find = (path: string): Noted => findNoted(byPath, path) ?? { line: 1, column: 1, node: undefined };
  return {
    value: faults.length > 0 ? undefined : value,
    problems: faults.map(({ line, problem }) => `line ${line}: ${problem}`),
    faults,
    lineOf: (path) => find(path).line,
    placeOf: (path) => {
      const { line, column } = find(path);
      return { line, column };
    },
    placeInside: (path, inner) => {
      const { node } = find(path);
      const at = node === undefined ? undefined : mapOf(node)?.(inner);
      return at === undefined ? undefined : placeAt(at);
    },
  };
}

function mapNode(text: string, node: Node): ReturnType<typeof mapScalar> | undefined {
  if (!isScalar(node) || typeof node.value !== "string" || !node.range) return undefined;
  return mapScalar(text, { type: node.type, value: node.value, range: node.range });
}

/** The library's own words name a function of it. */
const secondDocument = "expected one document, got a second one (behind ---)";

/** What the text says, or why that is no configuration: the library throws for anchors that grow beyond measure. */
function readValue(
  document: Document.Parsed,
  note: NoteNode,
): { readonly value?: unknown; readonly problem?: ConfigProblem } {
  if (document.errors.length > 0) return {};
  try {
    if (document.contents !== null) noteNodes(document.contents, "", note);
    return { value: document.toJS() as unknown };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Nesting that is too deep is a RangeError.
    return { problem: `cannot be read as a configuration: ${error.message}` };
  }
}

/** What is wrong in one way in one line is one problem: the library repeats itself where it gives up. */
function withoutRepetition(faults: ConfigText["faults"]): ConfigText["faults"] {
  const groups = Map.groupBy(faults, ({ line, problem }) => `${line} ${problem}`);
  return [...groups.values()].flatMap(([first]) => first ?? []);
}

// A path in any case, as keys are in any case; "a.0" is "a[0]". The part above it where it is not there.
function findNoted(byPath: ReadonlyMap<string, Noted>, path: string): Noted | undefined {
  const at = path.toLowerCase().replaceAll(/\.(\d+)(?=\.|\[|$)/gu, "[$1]");
  const found = byPath.get(at);
  if (found !== undefined || at === "") return found;
  return findNoted(byPath, /^(?<above>.*)(?:\.[^.[\]]*|\[\d+\])$/su.exec(at)?.groups?.["above"] ?? "");
}

type NoteNode = (path: string, offset: number | undefined, node: Node | undefined) => void;

function noteNodes(node: Node, path: string, note: NoteNode): void {
  if (path === "") note(path, node.range?.[0], node);
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const below = [path, String(key.value).toLowerCase()].filter(Boolean).join(".");
      note(below, key.range?.[0], isNode(value) ? value : undefined);
      if (isNode(value)) noteNodes(value, below, note);
    }
  }
  if (!isSeq(node)) return;
  for (const [at, item] of node.items.entries()) {
    if (!isNode(item)) continue;
    note(`${path}[${at}]`, item.range?.[0], item);
    noteNodes(item, `${path}[${at}]`, note);
  }
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value);
}
