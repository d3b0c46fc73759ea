// `virtfn validate`: reads configurations as the programs will, and tells what is wrong in which line. Touches nothing.

import { SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { parseConfigTexts } from "../../sriov/config-text.ts";
import { findPrefixProblem } from "../../sriov/resource-config.ts";
import { parseFlagsAndWords } from "../flags.ts";
import { escapeControls } from "../table.ts";
import { UsageError } from "../usage-error.ts";
import { type FileText, findConflicts } from "./conflicts.ts";
import { type Finding, validateDocuments, type ValidatedFile } from "./validate-text.ts";

const usage = `Usage: virtfn validate [--json] [--resource-prefix PREFIX] FILE...

Checks network configurations and lists of them (.conf, .conflist), NetworkAttachmentDefinitions, the chained entry of
install-cni, resource configurations and node.yaml, in YAML or JSON, and ConfigMaps with such files in them; what a file is, its
content tells. Of files with resource configurations and a node.yaml together also limits that contradict each other.

  -                         as a FILE: stdin, read to its end (Ctrl-D on a terminal), like other files at most 64 MiB
  --json                    the findings as JSON
  --resource-prefix PREFIX  as the device plugin is given it (default sriov)

Exits with 0 when all is right, 1 when something is wrong, 2 for a command line that is not understood.
`;

export interface ValidateOptions {
  /** What relative paths start at. */
  readonly folder: string;
  /** Takes what goes to stdout. */
  readonly print: (text: string) => void;
  /** The whole of stdin; called for the file - alone. */
  readonly readStdin: () => Promise<string>;
}

/** Runs the command and gives its exit code. Throws ERR_USAGE. */
export async function runValidate(
  host: Pick<Host, "files">,
  argv: readonly string[],
  { folder, print, readStdin }: ValidateOptions,
): Promise<number> {
  const { values, positionals } = parseCommandLine(argv);
  if (values.help) {
    print(usage);
    return 0;
  }
  const prefix = values["resource-prefix"];
  const texts = await Promise.all(
    positionals.map((path) =>
      path === "-" ? readText("stdin", readStdin) : readText(path, () => readFile(host, path, folder)),
    ),
  );
  const conflicts = findConflicts(texts, prefix);
  const files = texts.map((text) => addConflicts(validateFile(text, prefix), conflicts.get(text)));
  print(values.json ? `${JSON.stringify(files, undefined, 2)}\n` : files.map(formatFile).join(""));
  return files.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

function validateFile(file: FileText, prefix: string): ValidatedFile {
  if ("text" in file) return validateDocuments(file.file, file, { prefix });
  return { file: file.file, documents: [], problems: [{ line: 1, column: 1, problem: file.problem }] };
}

/** Only where the file itself is right: what is wrong in it comes first. */
function addConflicts(validated: ValidatedFile, conflicts: readonly Finding[] = []): ValidatedFile {
  return validated.problems.length > 0 ? validated : { ...validated, problems: conflicts };
}

async function readText(file: string, read: () => string | undefined | Promise<string>): Promise<FileText> {
  try {
    const text = await read();
    if (text === undefined) return { file, problem: "there is no such file" };
    return { file, text, documents: parseConfigTexts(text) };
  } catch (error) {
    return { file, problem: describeFailure(error) };
  }
}

function readFile({ files }: Pick<Host, "files">, file: string, folder: string): string | undefined {
  return files.readText(file.startsWith("/") ? file : `${folder}/${file}`);
}

function describeFailure(error: unknown): string {
  const isNoFile = error instanceof SystemCallError && error.errno === "EINVAL";
  const advice = isNoFile ? "; to read a pipe, give it as stdin, and - as the file" : "";
  return `${error instanceof Error ? error.message : String(error)}${advice}`;
}

function formatFile({ file, documents, problems }: ValidatedFile): string {
  if (problems.length === 0) return escapeControls(`${file}: ok (${documents.join(", ")})\n`);
  const lines = problems.map(({ line, column, problem }) => `${file}:${line}:${column}: ${problem}\n`);
  return escapeControls(lines.join(""));
}

interface CommandLine {
  readonly values: { readonly help: boolean; readonly json: boolean; readonly "resource-prefix": string };
  readonly positionals: readonly string[];
}

function parseCommandLine(argv: readonly string[]): CommandLine {
  const parsed = parseFlagsAndWords("validate", argv, {
    help: { type: "boolean", short: "h", default: false },
    json: { type: "boolean", default: false },
    "resource-prefix": { type: "string", default: "sriov" },
  });
  const problem = findProblem(parsed);
  if (problem === undefined) return parsed;
  throw new UsageError("validate", problem);
}

function findProblem({ values, positionals }: CommandLine): string | undefined {
  if (!values.help && positionals.length === 0) return "expected at least one file";
  if (positionals.filter((path) => path === "-").length > 1) return "expected - once, as stdin ends once";
  return findPrefixProblem(values["resource-prefix"]);
}
