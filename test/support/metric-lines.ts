// The lines of a /metrics text that a test looks at.

/** The series whose lines match `pattern`, in order, without help and type, between line ends as an inline snapshot has them. */
export function listMetricLines(text: string, pattern: RegExp): string {
  const lines = text.split("\n").filter((line) => !line.startsWith("#") && pattern.test(line));
  return `\n${lines.join("\n")}\n`;
}
