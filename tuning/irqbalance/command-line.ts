// The command line of irqbalance, as far as it says which interrupts it leaves alone.

export interface IrqBalanceArguments {
  /** --policyscript: a program that is asked about each interrupt, or a folder of them. */
  readonly policyScript: string | undefined;
  /** --banirq, ascending. */
  readonly bannedIrqs: readonly number[];
}

/** Options by their letters; a colon: with a value, as `valueLetters` are. Source: irqbalance(1), and parse_command_line of irqbalance.c. */
const options: Readonly<Record<string, string>> = {
  oneshot: "o",
  debug: "d",
  foreground: "f",
  powerthresh: "p:",
  banirq: "i:",
  deepestcache: "c:",
  policyscript: "l:",
  pid: "s:",
  journal: "j",
  banmod: "m:",
  interval: "t:",
  version: "V",
  migrateval: "e:",
};

const valueLetters = /[psicmlte]/;

/** `args` without the program's name, in any form that getopt_long(3) takes: `-l DIR`, `-fl DIR`, `--policyscript=DIR`, `--poli DIR`. */
export function parseIrqBalanceArguments(args: readonly string[]): IrqBalanceArguments {
  let policyScript: string | undefined;
  const banned = new Set<number>();
  for (const [letter, value] of listValues(args)) {
    if (letter === "l") policyScript = value;
    if (letter === "i" && /^\s*\d+/.test(value)) banned.add(Number.parseInt(value, 10));
  }
  return { policyScript, bannedIrqs: [...banned].toSorted((a, b) => a - b) };
}

function listValues(args: readonly string[]): readonly (readonly [letter: string, value: string])[] {
  const found: (readonly [string, string])[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined && arg !== "--"; arg = rest.shift()) {
    if (arg.startsWith("--")) {
      const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
      const option = findOption(name);
      if (option?.endsWith(":") === true) found.push([option.charAt(0), value ?? rest.shift() ?? ""]);
      continue;
    }
    if (!arg.startsWith("-")) continue;
    const at = arg.search(valueLetters);
    if (at > 0) found.push([arg.charAt(at), arg.slice(at + 1) || (rest.shift() ?? "")]);
  }
  return found;
}

/** An option may be cut off where only one begins so. */
function findOption(name: string): string | undefined {
  const [only, ...others] = Object.keys(options).filter((option) => option.startsWith(name));
  return options[name] ?? (only === undefined || others.length > 0 ? undefined : options[only]);
}
