// A configuration as text, YAML or JSON: its value, and on which line each part of it stands.

import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";

import type { ConfigProblem } from "./config-problems.ts";

export interface ConfigText {
  readonly value: unknown;
  /** What is no YAML at all, and keys given twice; each with its line. */
  readonly problems: readonly ConfigProblem[];
  /** The line of a path like "resourceList[0].selectors", or of the part above it that is there. */
  lineOf(path: string): number;
}

/** Parses YAML 1.2, of which JSON is a part. Lines are counted from 1. */
export function parseConfigText(text: string): ConfigText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number | undefined): number => Math.max(1, lines.linePos(offset ?? 0).line);
  const byPath = new Map<string, number>();
  if (document.contents !== null)
    noteLines(document.contents, "", (path, at) => byPath.set(path, lineAt(at)));
  return {
    value: document.errors.length > 0 ? undefined : document.toJS(),
    problems: document.errors.map(({ message, pos }) => `line ${lineAt(pos[0])}: ${message}`),
    lineOf: (path) => lineOf(byPath, path),
  };
}

// A path in any case, as keys are in any case.
function lineOf(byPath: ReadonlyMap<string, number>, path: string): number {
  const at = path.toLowerCase();
  const found = byPath.get(at);
  if (found !== undefined || at === "") return found ?? 1;
  return lineOf(byPath, /^(?<above>.*)(?:\.[^.[\]]*|\[\d+\])$/su.exec(at)?.groups?.["above"] ?? "");
}

function noteLines(node: Node, path: string, note: (path: string, offset: number | undefined) => void): void {
  if (path === "") note(path, node.range?.[0]);
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const below = [path, String(key.value).toLowerCase()].filter(Boolean).join(".");
      note(below, key.range?.[0]);
      if (isNode(value)) noteLines(value, below, note);
    }
  }
  if (!isSeq(node)) return;
  for (const [at, item] of node.items.entries()) {
    if (!isNode(item)) continue;
    note(`${path}[${at}]`, item.range?.[0]);
    noteLines(item, `${path}[${at}]`, note);
  }
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value);
}
