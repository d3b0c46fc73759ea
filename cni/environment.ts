// The environment of a CNI call as a table: which variable which verb needs, and what may be in it.

import { EnvironmentError } from "./errors.ts";

export const commands = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"] as const;
export type Command = (typeof commands)[number];

/** What the runtime asks for. `netns` is "" where the verb allows that; `args` and `path` are "" when not given. */
export interface CniCall {
  readonly command: Command;
  readonly containerId: string;
  readonly netns: string;
  readonly ifName: string;
  readonly args: string;
  readonly path: string;
  /** DEL: whether CNI_NETNS may be the namespace that the plugin itself runs in. */
  readonly mayBeOwnNetns: boolean;
}

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

/** The call that the environment describes. Throws ERR_CNI_ENVIRONMENT naming every variable that is missing or wrong. */
export function parseEnvironment(environment: Environment): CniCall {
  const command = commands.find((known) => known === environment["CNI_COMMAND"]);
  const problems: string[] = [];
  if (command === undefined)
    problems.push(describe("CNI_COMMAND", `one of ${commands.join(", ")}`, environment["CNI_COMMAND"]));
  if (command === undefined) throw new EnvironmentError(problems);
  if (isWithoutPod(command)) return { ...withoutPod, command, path: environment["CNI_PATH"] ?? "" };
  for (const [name, variable] of Object.entries<Variable>(variables)) {
    const text = environment[name] ?? "";
    const isWrong = text === "" ? variable.neededBy.includes(command) : !variable.isValid(text);
    if (isWrong) problems.push(describe(name, variable.expected, environment[name]));
  }
  if (problems.length > 0) throw new EnvironmentError(problems);
  return {
    command,
    containerId: environment["CNI_CONTAINERID"] ?? "",
    netns: environment["CNI_NETNS"] ?? "",
    ifName: environment["CNI_IFNAME"] ?? "",
    args: environment["CNI_ARGS"] ?? "",
    path: environment["CNI_PATH"] ?? "",
    mayBeOwnNetns: /^(?:1|true)$/i.test(environment["CNI_NETNS_OVERRIDE"] ?? ""),
  };
}

const withoutPod = { containerId: "", netns: "", ifName: "", args: "", mayBeOwnNetns: false };

/** Whether a network interface can have this name (net/core/dev.c, dev_valid_name). */
export function isInterfaceName(text: string): boolean {
  return countBytes(text) <= 15 && text !== "" && text !== "." && text !== ".." && !/[/:\s\0]/.test(text);
}

/** In UTF-8. `Buffer` would cost 0.2 ms at its first use. */
export function countBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

function isArgs(text: string): boolean {
  return text.split(";").every((pair) => pair === "" || pair.indexOf("=") > 0);
}

// containerd calls STATUS with the pod's variables present but empty; libcni calls VERSION with "dummy" in them.
function isWithoutPod(command: Command): boolean {
  return command === "GC" || command === "STATUS" || command === "VERSION";
}

function describe(name: string, expected: string, got: string | undefined): string {
  return `${name}: expected ${expected}, got ${got === undefined || got === "" ? "nothing" : JSON.stringify(got.slice(0, 80))}`;
}
