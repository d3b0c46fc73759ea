// Where a text stops being JSON: parsers tell that in words of their own, without the place.

/** `at`: offset in the text; `problem`: what was expected there, and got. */
export interface JsonFault {
  readonly at: number;
  readonly problem: string;
}

type Expecting = "value" | "item" | "key" | "firstKey" | "colon" | "more";

const expected: Readonly<Record<Exclude<Expecting, "more">, string>> = {
  value: "a value",
  item: "a value or ]",
  key: "a key in quotes, as there is a comma before",
  firstKey: "a key in quotes or }",
  colon: ": behind the key",
};

// Source: RFC 8259, 2 to 7.
const space = /[ \t\n\r]*/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;

/** `undefined` for a text that is JSON. */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: ("{" | "[")[] = [];
  let expecting: Expecting = "value";
  let at = skip(space, text, 0);
  while (at < text.length) {
    const next = step(text, at, expecting, open);
    if (next === undefined) return fault(text, at, expecting, open);
    expecting = next.expecting;
    at = skip(space, text, next.at);
  }
  return expecting === "more" && open.length === 0 ? undefined : fault(text, at, expecting, open);
}

interface Next {
  readonly at: number;
  readonly expecting: Expecting;
}

/** Behind the token at `at`; `undefined` where that is none of those expected. Keeps `open`. */
function step(text: string, at: number, expecting: Expecting, open: ("{" | "[")[]): Next | undefined {
  const token = text[at];
  const innermost = open.at(-1);
  const isEnd = token === (innermost === "{" ? "}" : "]") && innermost !== undefined;
  if (isEnd && (expecting === "more" || expecting === "item" || expecting === "firstKey")) {
    open.pop();
    return { at: at + 1, expecting: "more" };
  }
  switch (expecting) {
    case "more":
      if (token !== "," || innermost === undefined) return undefined;
      return { at: at + 1, expecting: innermost === "{" ? "key" : "value" };
    case "colon":
      return token === ":" ? { at: at + 1, expecting: "value" } : undefined;
    case "key":
    case "firstKey":
      return behind(skipString(text, at), at, "colon");
    case "value":
    case "item":
      if (token !== "{" && token !== "[")
        return behind(skipString(text, at), at, "more") ?? behind(skip(scalar, text, at), at, "more");
      open.push(token);
      return { at: at + 1, expecting: token === "{" ? "firstKey" : "item" };
  }
}

function behind(end: number, at: number, expecting: Expecting): Next | undefined {
  return end === at ? undefined : { at: end, expecting };
}

// Not by a pattern: a text in quotes may be longer than one can look back on.
function skipString(text: string, start: number): number {
  if (text[start] !== '"') return start;
  let at = start + 1;
  while (at < text.length) {
    const character = text[at] ?? "";
    if (character === '"') return at + 1;
    const end = character === "\\" ? skip(escape, text, at) : at + (character < " " ? 0 : 1);
    if (end === at) return start;
    at = end;
  }
  return start;
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function fault(text: string, at: number, expecting: Expecting, open: readonly ("{" | "[")[]): JsonFault {
  const got = at < text.length ? JSON.stringify(/^\S{0,20}/u.exec(text.slice(at, at + 40))?.[0]) : "the end";
  return { at, problem: `expected JSON: ${wordsOf(expecting, open.at(-1))}, got ${got}` };
}

function wordsOf(expecting: Expecting, innermost: "{" | "[" | undefined): string {
  if (expecting !== "more") return expected[expecting];
  if (innermost === undefined) return "nothing more";
  return innermost === "{" ? ", or }" : ", or ]";
}
