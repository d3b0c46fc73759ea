// What the doctor found, as text for a terminal.

import { type Colour, paint, wrapText } from "../table.ts";
import { count, type Finding, type Severity } from "./check.ts";

export interface CheckResult {
  readonly check: string;
  readonly findings: readonly Finding[];
}

const lineWidth = 100;
const gap = "  ";
const colours: Readonly<Record<Severity, Colour>> = {
  ok: "green",
  warn: "yellow",
  error: "red",
  unknown: "grey",
};

/** A line for each finding, with what was expected and what to do below it, and a count at the end. Lines ended. */
export function formatResults(results: readonly CheckResult[], hasColours: boolean): string {
  const rows = [
    { check: "CHECK", severity: undefined, lines: ["SEEN"] },
    ...results.flatMap(({ check, findings }) =>
      findings.map((finding) => ({ check, severity: finding.severity, lines: describe(finding) })),
    ),
  ];
  const checkWidth = Math.max(...rows.map(({ check }) => check.length));
  const severityWidth = "unknown".length;
  const left = " ".repeat(checkWidth + gap.length + severityWidth + gap.length);
  const text = rows.flatMap(({ check, severity, lines }) => {
    const wrapped = lines.flatMap((line) => wrapText(line, lineWidth - left.length));
    const word = severity ?? "RESULT";
    const shown = hasColours && severity !== undefined ? paint(word, colours[severity]) : word;
    const padding = " ".repeat(severityWidth - word.length);
    const [first = "", ...rest] = wrapped;
    const head = `${check.padEnd(checkWidth)}${gap}${shown}${padding}${gap}${first}`;
    return [head].concat(rest.map((line) => `${left}${line}`));
  });
  return `${[...text, "", summarize(results)].join("\n")}\n`;
}

function describe({ seen, expected, fix }: Finding): readonly string[] {
  return [
    seen,
    ...(expected === undefined ? [] : [`expected: ${expected}`]),
    ...(fix === undefined ? [] : [`fix: ${fix}`]),
  ];
}

/** "19 checks: 1 error, 2 warnings, 1 unknown". */
function summarize(results: readonly CheckResult[]): string {
  const all = results.flatMap(({ findings }) => findings);
  const number = (severity: Severity): number => all.filter((one) => one.severity === severity).length;
  const counts = [
    count(number("error"), "error"),
    count(number("warn"), "warning"),
    `${number("unknown")} unknown`,
  ];
  return `${count(results.length, "check")}: ${counts.join(", ")}`;
}
