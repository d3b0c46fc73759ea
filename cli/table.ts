// Text for people at a terminal: tables that fit a width, wrapped sentences, colours.

/** A colour of a cell; the terminal's own palette decides how it looks. */
export type Colour = "red" | "green" | "yellow" | "grey";

export interface TableOptions {
  /** Columns that a line may have; the column `flexible` is cut when the rows are wider. `undefined`: no limit. */
  readonly width: number | undefined;
  /** The columns that may be cut, by position, the first one first. */
  readonly flexible: readonly number[];
  /** The colour of a cell, by its text and column; none where the output is no terminal. */
  readonly colourOf?: (cell: string, column: number) => Colour | undefined;
}

const gap = "  ";
const leastColumn = 8;
const colourCodes: Readonly<Record<Colour, number>> = { red: 31, green: 32, yellow: 33, grey: 90 };

/** The lines of a table, the first row its header. Cut cells end with "…". */
export function formatTable(
  texts: readonly (readonly string[])[],
  { width, flexible, colourOf = () => undefined }: TableOptions,
): readonly string[] {
  const rows = texts.map((row) => row.map((cell) => escapeControls(cell)));
  const widths = fitColumns(rows, width, flexible);
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const text = cut(cell, widths[column] ?? cell.length);
        const isLast = column === row.length - 1;
        const padding = isLast ? "" : " ".repeat((widths[column] ?? 0) - text.length);
        return `${paint(text, colourOf(cell, column))}${padding}`;
      })
      .join(gap)
      .trimEnd(),
  );
}

/** `text` broken between words into lines of at most `width`, all but the first indented by `indent`. */
export function wrapText(text: string, width: number, indent = "  "): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of escapeControls(text).split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > width && line.trim() !== "") {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  return [...lines, line];
}

/**
 * `text` with what a terminal would obey, but tabs and line ends, as `\u001b`: names of interfaces in pods and keys of
 * configurations are what their authors make them. Source: Unicode's category Cc.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(
    /[^\P{Cc}\t\n]/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `text` in the colour, for a terminal. */
export function paint(text: string, colour: Colour | undefined): string {
  return colour === undefined || text === "" ? text : `\u001B[${colourCodes[colour]}m${text}\u001B[0m`;
}

function fitColumns(
  rows: readonly (readonly string[])[],
  width: number | undefined,
  flexible: readonly number[],
): readonly number[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)),
    [],
  );
  if (width === undefined) return widths;
  for (const column of flexible) {
    const total = widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1));
    const wanted = widths[column] ?? 0;
    widths[column] = Math.min(wanted, Math.max(leastColumn, wanted - Math.max(0, total - width)));
  }
  return widths;
}

function cut(cell: string, width: number): string {
  return cell.length > width ? `${cell.slice(0, width - 1)}…` : cell;
}
