// Blocks of a page that show what a command prints, behind a comment with the command line.

const block = /(<!-- output of: virtfn (.*?) -->\n```text\n)(.*?)```/gs;

/** The page with every block as `print` has it for the command line (without "virtfn"), and those command lines. */
export async function renderOutputs(
  text: string,
  print: (line: string) => Promise<string>,
): Promise<{ readonly text: string; readonly lines: readonly string[] }> {
  const outputs = new Map<string, string>();
  for (const [, , line = ""] of text.matchAll(block)) outputs.set(line, await print(line));
  return {
    text: text.replaceAll(
      block,
      (_, head: string, line: string) => `${head}${outputs.get(line) ?? ""}\`\`\``,
    ),
    lines: [...outputs.keys()],
  };
}
