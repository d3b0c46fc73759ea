// The command line of a bench: its flags, what each is for, and `--help`.

import { parseArgs } from "node:util";

/** What a value has to be, by what stands for it in the help. */
const forms = {
  N: { pattern: /^\d+$/, expected: "a whole number" },
  "N,N": { pattern: /^\d+(?:,\d+)*$/, expected: "whole numbers with commas between" },
  PATH: { pattern: /./, expected: "a path" },
  DIR: { pattern: /./, expected: "a folder" },
  TYPE: { pattern: /./, expected: "a CNI plugin's type" },
} as const;

interface Switch {
  readonly type: "boolean";
  readonly default: false;
  readonly help: string;
}

interface Value {
  readonly type: "string";
  readonly default?: string;
  /** What stands for it in the help. */
  readonly value: keyof typeof forms;
  readonly help: string;
}

/** By the name of the flag; it is what `parseArgs` takes, too. */
export type BenchFlags = Readonly<Record<string, Switch | Value>>;

const commonFlags = {
  json: { type: "boolean", default: false, help: "the result on one line" },
  out: { type: "string", value: "DIR", help: "keeps the result as a file there, too" },
  help: { type: "boolean", default: false, help: "this text" },
} as const satisfies BenchFlags;

type Read<Flags extends BenchFlags> = ReturnType<
  typeof parseArgs<{ options: Flags & typeof commonFlags }>
>["values"];

/** The flags of `bench:NAME`, its own and those of all benches. Ends the process after the help, with 0, and after a wrong flag or value, with 2. */
export function readBenchFlags<const Flags extends BenchFlags>(
  name: string,
  purpose: string,
  flags: Flags,
): Read<Flags> {
  const all = { ...flags, ...commonFlags };
  try {
    const values: Readonly<Record<string, unknown>> = parseArgs({ options: all }).values;
    if (values["help"] === true) {
      console.log(formatHelp(name, purpose, all));
      process.exit(0);
    }
    const problems = Object.entries(all).flatMap(([flag, of]) => findProblem(flag, of, values));
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return values as Read<Flags>;
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nbench:${name} --help tells more`,
    );
    process.exit(2);
  }
}

function findProblem(
  flag: string,
  of: Switch | Value,
  values: Readonly<Record<string, unknown>>,
): readonly string[] {
  const given = values[flag];
  if (of.type === "boolean" || typeof given !== "string") return [];
  const { pattern, expected } = forms[of.value];
  return pattern.test(given) ? [] : [`--${flag}: expected ${expected}, got ${JSON.stringify(given)}`];
}

function formatHelp(name: string, purpose: string, flags: BenchFlags): string {
  const rows = Object.entries(flags).map(([flag, of]) => {
    const value = of.type === "string" ? ` ${of.value}` : "";
    const byDefault = of.default === undefined || of.default === false ? "" : ` (default ${of.default})`;
    return [`--${flag}${value}`, `${of.help}${byDefault}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [
    `npm run -s bench:${name} -- OPTIONS: ${purpose}. The result is one JSON object on stdout, progress goes to stderr.`,
    "",
    ...lines,
  ].join("\n");
}
