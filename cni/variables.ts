// The environment of a CNI call as a table: which variable which verb needs, and what may be in it.

export const commands = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"] as const;
export type Command = (typeof commands)[number];

export type Environment = Readonly<Record<string, string | undefined>>;

interface Variable {
  readonly neededBy: readonly Command[];
  readonly expected: string;
  readonly isValid: (text: string) => boolean;
}

// Source: CNI spec 1.1.0, "Parameters" and the operations; GC, STATUS and VERSION take the call from stdin. CNI_NETNS_OVERRIDE is of
// no spec: containernetworking/cni, pkg/skel.
const variables = {
  CNI_CONTAINERID: {
    neededBy: ["ADD", "DEL", "CHECK"],
    expected: "letters, digits, _, . and -, starting with a letter or digit",
    isValid: (text) => /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text),
  },
  CNI_NETNS: {
    neededBy: ["ADD", "CHECK"],
    expected: "an absolute path of a network namespace",
    isValid: (text) => text.startsWith("/") && !text.includes("\0"),
  },
  CNI_IFNAME: {
    neededBy: ["ADD", "DEL", "CHECK"],
    expected: "an interface name of at most 15 bytes without /, : and spaces",
    isValid: isInterfaceName,
  },
  CNI_PATH: { neededBy: [], expected: "folders separated by :", isValid: () => true },
  CNI_ARGS: { neededBy: [], expected: "KEY=VALUE pairs separated by ;", isValid: isArgs },
} as const satisfies Readonly<Record<string, Variable>>;

/** What is missing or wrong for a verb that is about a pod, each variable with what was expected. */
export function findProblems(command: Command, environment: Environment): readonly string[] {
  const problems: string[] = [];
  for (const [name, variable] of Object.entries<Variable>(variables)) {
    const text = environment[name] ?? "";
    const isWrong = text === "" ? variable.neededBy.includes(command) : !variable.isValid(text);
    if (isWrong) problems.push(describeVariable(name, variable.expected, environment[name]));
  }
  return problems;
}

/** The problem of a variable. */
export function describeVariable(name: string, expected: string, got: string | undefined): string {
  return `${name}: expected ${expected}, got ${got === undefined || got === "" ? "nothing" : JSON.stringify(got.slice(0, 80))}`;
}

/** Whether a network interface can have this name (net/core/dev.c, dev_valid_name). */
export function isInterfaceName(text: string): boolean {
  return countBytes(text) <= 15 && text !== "" && text !== "." && text !== ".." && !/[/:\s\0]/.test(text);
}

/** In UTF-8. The first use of `TextEncoder` would cost as much as all checks of an ADD. */
export function countBytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length;) {
    const point = text.codePointAt(at) ?? 0;
    at += point > 0xffff ? 2 : 1;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point > 0xffff ? 4 : 3;
  }
  return bytes;
}

function isArgs(text: string): boolean {
  for (const pair of text.split(";")) if (pair !== "" && pair.indexOf("=") <= 0) return false;
  return true;
}
