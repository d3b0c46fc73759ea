// The file with irqbalance's arguments: a line of ours at its end that gives it our folder of policy scripts.

import { parseIrqBalanceArguments } from "./command-line.ts";

const mark = "# The next line was written by virtfn tuning, and is taken away by virtfn uninstall.";
const ownLines = new RegExp(`^${mark.replaceAll(".", String.raw`\.`)}\n.*\n?`, "gm");
const assignment = /^[ \t]*(?:export[ \t]+)?IRQBALANCE_ARGS=(.*)$/gm;

/** The text with our line; as it is where it has a policy script of its own. `undefined`: its arguments are not understood. */
export function addPolicyFolder(text: string, folder: string): string | undefined {
  const own = removePolicyFolder(text);
  const [, last = ""] = [...own.matchAll(assignment)].at(-1) ?? [];
  const value = unquote(last.trim());
  if (value === undefined) return undefined;
  if (parseIrqBalanceArguments(value.split(/\s+/)).policyScript !== undefined) return own;
  const line = `IRQBALANCE_ARGS="${[value, `--policyscript=${folder}`].filter(Boolean).join(" ")}"`;
  return `${own}${own === "" || own.endsWith("\n") ? "" : "\n"}${mark}\n${line}\n`;
}

/** The text without our line. */
export function removePolicyFolder(text: string): string {
  return text.replaceAll(ownLines, "");
}

/** A plain word list, in quotes or not, as a shell and systemd.exec(5) both read it. */
function unquote(value: string): string | undefined {
  const [, double, single, bare] = /^(?:"([^"\\$`]*)"|'([^'\\$`]*)'|([^"'\\$`#\s]*))$/.exec(value) ?? [];
  return double ?? single ?? bare;
}
