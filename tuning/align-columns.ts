// Rows of text as a table for a terminal.

/** One line for each row, its cells below each other, two spaces apart; nothing at the end of a line. */
export function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<readonly number[]>(
    (max, row) => row.map((cell, at) => Math.max(cell.length, max[at] ?? 0)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
