// `virtfn validate`: reads configurations as the programs will, and tells what is wrong in which line. Touches nothing.

import { parseArgs } from "node:util";

import type { Host } from "../../host/host.ts";
import { findPrefixProblem } from "../../sriov/resource-config.ts";
import { UsageError } from "../usage-error.ts";
import { type FileText, findConflicts } from "./conflicts.ts";
import { type Finding, validateText, type ValidatedFile } from "./validate-text.ts";

const usage = `Usage: virtfn validate [--json] [--resource-prefix PREFIX] FILE...

Checks network configurations and lists of them (.conf, .conflist), NetworkAttachmentDefinitions, the chained entry of
install-cni, resource configurations and node.yaml, in YAML or JSON; what a file is, its content tells. Of resource configurations
and a node.yaml together also limits that contradict each other.

  --json                    the findings as JSON
  --resource-prefix PREFIX  as the device plugin is given it (default sriov)

Exits with 0 when all is right, 1 when something is wrong, 2 for a command line that is not understood.
`;

/** Runs the command and gives its exit code; `print` takes what goes to stdout. Throws ERR_USAGE. */
export function runValidate(
  host: Pick<Host, "files">,
  argv: readonly string[],
  folder: string,
  print: (text: string) => void,
): number {
  const { values, positionals } = parseCommandLine(argv);
  if (values.help) {
    print(usage);
    return 0;
  }
  if (positionals.length === 0) throw new UsageError("validate", "expected at least one file");
  const prefix = values["resource-prefix"];
  const texts = positionals.map((path) => readFile(host, path, folder));
  const conflicts = findConflicts(texts, prefix);
  const files = texts.map((text) => addConflicts(validateFile(text, prefix), conflicts));
  print(values.json ? `${JSON.stringify(files, undefined, 2)}\n` : files.map(formatFile).join(""));
  return files.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

function validateFile(file: FileText, prefix: string): ValidatedFile {
  if ("text" in file) return validateText(file.file, file.text, { prefix });
  return { file: file.file, documents: [], problems: [{ line: 1, column: 1, problem: file.problem }] };
}

/** Only where the file itself is right: what is wrong in it comes first. */
function addConflicts(
  validated: ValidatedFile,
  conflicts: ReadonlyMap<string, readonly Finding[]>,
): ValidatedFile {
  const problems = validated.problems.length > 0 ? validated.problems : (conflicts.get(validated.file) ?? []);
  return { ...validated, problems };
}

function readFile(host: Pick<Host, "files">, file: string, folder: string): FileText {
  try {
    const text = host.files.readText(file.startsWith("/") ? file : `${folder}/${file}`);
    return text === undefined ? { file, problem: "there is no such file" } : { file, text };
  } catch (error) {
    return { file, problem: error instanceof Error ? error.message : String(error) };
  }
}

function formatFile({ file, documents, problems }: ValidatedFile): string {
  if (problems.length === 0) return `${file}: ok (${documents.join(", ")})\n`;
  const lines = problems.map(({ line, column, problem }) => `${file}:${line}:${column}: ${problem}\n`);
  return lines.join("");
}

function parseCommandLine(argv: readonly string[]): {
  readonly values: { readonly help: boolean; readonly json: boolean; readonly "resource-prefix": string };
  readonly positionals: readonly string[];
} {
  const options = {
    help: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    "resource-prefix": { type: "string", default: "sriov" },
  } as const;
  try {
    const parsed = parseArgs({ args: [...argv], options, strict: true, allowPositionals: true });
    const problem = findPrefixProblem(parsed.values["resource-prefix"]);
    if (problem === undefined) return parsed;
    throw new Error(problem);
  } catch (cause) {
    throw new UsageError("validate", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
