// Renders a Helm chart that keeps to a few of Helm's words; what it does not know it refuses. Helm itself is asked by test/helm.

import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse, stringify } from "yaml";

export type Values = Readonly<Record<string, unknown>>;

/** Text, or an action with what it holds. */
type Node =
  | string
  | { readonly words: string; readonly body: readonly Node[]; readonly other: readonly Node[] };

type Definitions = Map<string, readonly Node[]>;

/** The texts of `folder`/templates by file name, with `values` over those of values.yaml. NOTES.txt is one of them. */
export function renderChart(folder: string, values: Values = {}): ReadonlyMap<string, string> {
  const defaults = parse(readFileSync(join(folder, "values.yaml"), "utf8")) as Values;
  const files = globSync("templates/*", { cwd: folder }).toSorted();
  const definitions: Definitions = new Map();
  const nodes = files.map((file) => parseTemplate(readFileSync(join(folder, file), "utf8"), definitions));
  const top = { Values: merge(defaults, values) };
  const texts = files.map((file, at) => [basename(file), render(nodes[at] ?? [], top, definitions)] as const);
  return new Map(texts.filter(([name]) => !name.startsWith("_")));
}

/** Maps are merged, all else is replaced, as Helm does. */
export function merge(below: Values, above: Values): Values {
  const merged = Object.entries(above).map(([key, value]) => {
    const other = below[key];
    return [key, isMap(value) && isMap(other) ? merge(other, value) : value] as const;
  });
  return { ...below, ...Object.fromEntries(merged) };
}

function isMap(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The nodes of a file; its definitions go to `definitions`. */
function parseTemplate(text: string, definitions: Definitions): readonly Node[] {
  // A dash takes the white space on its side away.
  const trimmed = text.replaceAll(/\s*\{\{-/g, "{{").replaceAll(/-\}\}\s*/g, "}}");
  const tokens = trimmed.split(/\{\{(.*?)\}\}/s);
  let at = 0;
  function parseUntilEnd(isTop: boolean): { readonly nodes: readonly Node[]; readonly ended: string } {
    const nodes: Node[] = [];
    for (; at < tokens.length; at += 1) {
      const token = tokens[at] ?? "";
      const words = token.trim();
      if (at % 2 === 0) nodes.push(token);
      else if (words === "end" || words === "else") return { nodes, ended: words };
      else if (/^(?:if|with|define) /.test(words)) nodes.push(...parseBlock(words));
      else if (!words.startsWith("/*")) nodes.push({ words, body: [], other: [] });
    }
    if (!isTop) throw new Error("a block without an end");
    return { nodes, ended: "" };
  }
  function parseBlock(words: string): readonly Node[] {
    at += 1;
    const body = parseUntilEnd(false);
    at += body.ended === "else" ? 1 : 0;
    const other = body.ended === "else" ? parseUntilEnd(false).nodes : [];
    const [, name] = /^define "([\w.]+)"$/.exec(words) ?? [];
    if (name === undefined) return [{ words, body: body.nodes, other }];
    definitions.set(name, body.nodes);
    return [];
  }
  return parseUntilEnd(true).nodes;
}

function render(nodes: readonly Node[], dot: unknown, definitions: Definitions): string {
  const texts = nodes.map((node) => {
    if (typeof node === "string") return node;
    const { words, body, other } = node;
    const [, block, of = ""] = /^(if|with) (.+)$/.exec(words) ?? [];
    if (block === undefined) return toText(evaluate(words, dot, definitions));
    const value = evaluate(of, dot, definitions);
    if (isEmpty(value)) return render(other, dot, definitions);
    return render(body, block === "with" ? value : dot, definitions);
  });
  return texts.join("");
}

/** A pipeline: a value, and functions that it goes through. */
function evaluate(pipeline: string, dot: unknown, definitions: Definitions): unknown {
  const [first = "", ...functions] = pipeline.split("|").map((part) => part.trim());
  return functions.reduce(applyFunction, evaluateCall(first, dot, definitions));
}

function evaluateCall(call: string, dot: unknown, definitions: Definitions): unknown {
  const [, included] = /^include "([\w.]+)" \.$/.exec(call) ?? [];
  const [, operation, operand = ""] = /^(not|toYaml) (\S+)$/.exec(call) ?? [];
  if (included !== undefined) {
    const nodes = definitions.get(included);
    if (nodes === undefined) throw new Error(`no definition of ${included}`);
    return render(nodes, dot, definitions);
  }
  if (operation === "not") return isEmpty(readPath(operand, dot));
  if (operation === "toYaml") return stringify(readPath(operand, dot), { lineWidth: 0 }).trimEnd();
  return readPath(call, dot);
}

function applyFunction(value: unknown, call: string): unknown {
  const [, width] = /^nindent (\d+)$/.exec(call) ?? [];
  if (width === undefined) throw new Error(`unknown function: ${call}`);
  return `\n${toText(value).replaceAll(/^/gm, " ".repeat(Number(width)))}`;
}

/** ".Values.a.b"; a name that is not there is an error, where Helm would print nothing. */
function readPath(path: string, dot: unknown): unknown {
  if (!/^\.(?:\w+(?:\.\w+)*)?$/.test(path)) throw new Error(`unknown words: ${path}`);
  const names = path.split(".").filter(Boolean);
  return names.reduce<unknown>((value, name) => {
    if (!isMap(value) || !Object.hasOwn(value, name)) throw new Error(`${path}: there is no ${name}`);
    return value[name];
  }, dot);
}

function toText(value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return `${value}`;
  throw new Error(`expected a plain value, got ${JSON.stringify(value)}`);
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) ? Object.keys(value).length === 0 : !value;
}
