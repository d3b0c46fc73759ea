// Where a part of the text that a YAML scalar holds stands in the file: but for white space, quotes and escapes both say the same.

/** A scalar as it was parsed: `range` is from its first character, a quote or the mark of a block, to the end of its value. */
export interface ParsedScalar {
  readonly type: string | null | undefined;
  readonly value: string;
  readonly range: readonly [number, number, ...number[]];
}

/** Counted from 1, in the scalar's text. */
interface Inner {
  readonly line: number;
  readonly column: number;
}

/**
 * Gives the offset in `text` of what is at a place of the scalar's value; `undefined` outside of it, and for plain scalars. White
 * space, which folding changes, stands for what comes after it.
 */
export function mapScalar(text: string, scalar: ParsedScalar): (inner: Inner) => number | undefined {
  const marks = listMarks(text, scalar);
  const { value } = scalar;
  const starts = [0, ...Array.from(value.matchAll(/\n/g), ({ index }) => index + 1)];
  const counts = countMarks(value);
  return ({ line, column }) => {
    const start = starts[line - 1];
    const count = start === undefined ? undefined : counts[start + column - 1];
    return count === undefined ? undefined : (marks[count] ?? behind(marks));
  };
}

function behind(marks: readonly number[]): number | undefined {
  const last = marks.at(-1);
  return last === undefined ? undefined : last + 1;
}

/** How many characters that are no white space stand before each of the value. */
function countMarks(value: string): Uint32Array {
  const counts = new Uint32Array(value.length + 1);
  for (let at = 0; at < value.length; at += 1)
    counts[at + 1] = (counts[at] ?? 0) + (isMark(value[at] ?? "") ? 1 : 0);
  return counts;
}

/** Where each of those characters is in the text. */
function listMarks(text: string, { type, range: [start, end] }: ParsedScalar): readonly number[] {
  const isBlock = type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED";
  if (!isBlock && type !== "QUOTE_SINGLE" && type !== "QUOTE_DOUBLE") return [];
  const last = isBlock ? end : end - 1;
  const marks: number[] = [];
  for (let at = isBlock ? text.indexOf("\n", start) + 1 : start + 1; at < last;) {
    const { length, means } = readUnit(text, at, type);
    for (const unit of means.split("")) if (isMark(unit)) marks.push(at);
    at += length;
  }
  return marks;
}

function isMark(unit: string): boolean {
  return !/\s/.test(unit);
}

interface Unit {
  readonly length: number;
  /** What it is in the value. */
  readonly means: string;
}

function readUnit(text: string, at: number, type: string | null | undefined): Unit {
  const unit = text[at] ?? "";
  if (type === "QUOTE_SINGLE" && unit === "'") return { length: 2, means: "'" };
  if (type === "QUOTE_DOUBLE" && unit === "\\") return readEscape(text, at);
  return { length: 1, means: unit };
}

// Source: YAML 1.2.2, 5.7.
function readEscape(text: string, at: number): Unit {
  const letter = text[at + 1] ?? "";
  const digits = { x: 2, u: 4, U: 8 }[letter];
  if (digits === undefined) return { length: 2, means: escapes[letter] ?? letter };
  const code = Number.parseInt(text.slice(at + 2, at + 2 + digits), 16);
  return { length: 2 + digits, means: String.fromCodePoint(code) };
}

/** Letters of escapes that mean something else than themselves. */
const escapes: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  N: "\x85",
  _: "\xa0",
  L: "\u2028",
  P: "\u2029",
};
