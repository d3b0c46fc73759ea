// Several bash scripts on the lab's node in one call, each with its own result: under emulation a call costs as much as a CNI plugin.
import type { LabNode } from "../node/lab-node.ts";

export interface ScriptResult {
  readonly exitCode: number;
  /** Without line ends at its end. */
  readonly stdout: string;
}

export interface ScriptOptions {
  /** Runs once before the scripts, in the same shell: what it sets and mounts, they see. */
  readonly prelude?: string;
  /** In a mount namespace of their own: mounts of the prelude end with the call. */
  readonly hasOwnMounts?: boolean;
  readonly timeoutMs?: number;
}

/** Runs the scripts one after the other, also after one that fails; what they write to stderr is in the error when the call itself fails. */
export async function runScripts(
  node: LabNode,
  scripts: readonly string[],
  { prelude = ":", hasOwnMounts = false, timeoutMs = 120_000 }: ScriptOptions = {},
): Promise<readonly ScriptResult[]> {
  const runs = scripts.map((script) => `out=$(${script}\n); printf '%s\\0%s\\0' $? "$out"`);
  const all = ["set -e", prelude, "set +e", ...runs].join("\n");
  const script = hasOwnMounts
    ? `unshare --mount --propagation slave bash /dev/fd/3 3<<'END_OF_SCRIPTS'\n${all}\nEND_OF_SCRIPTS`
    : all;
  const { stdout, stderr } = await node.exec(script, { timeoutMs });
  const fields = stdout.split("\0");
  if (fields.length !== scripts.length * 2 + 1)
    throw new Error(`in the guest: ${scripts.length} scripts gave ${fields.length} fields\n${stderr.trim()}`);
  return scripts.map((_, index) => ({
    exitCode: Number(fields[index * 2]),
    stdout: fields[index * 2 + 1] ?? "",
  }));
}

/** The text as one word of bash. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
