// Tables and sentences for people: widths, cuts, colours.

import { expect, test } from "vitest";

import { escapeControls, formatTable, wrapText } from "../../../cli/table.ts";

const rows = [
  ["VF", "POD", "CPUS"],
  ["0000:01:10.0", "shop/a-pod-with-quite-a-long-name", "0-3"],
];

test("columns are as wide as their widest cell", () => {
  expect(formatTable(rows, { width: undefined, flexible: [] })).toEqual([
    "VF            POD                                CPUS",
    "0000:01:10.0  shop/a-pod-with-quite-a-long-name  0-3",
  ]);
});

test("what is too wide is cut in the flexible column, never in another one", () => {
  const lines = formatTable(rows, { width: 37, flexible: [1] });
  expect(lines[1]).toBe("0000:01:10.0  shop/a-pod-with-…  0-3");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(37);
  expect(formatTable(rows, { width: 5, flexible: [1] })[1]).toBe("0000:01:10.0  shop/a-…  0-3");
});

function paintList(cell: string): "red" | undefined {
  return cell === "0-3" ? "red" : undefined;
}

test("colours leave the columns where they are", () => {
  const table = [
    ["A", "B"],
    ["0-3", "x"],
  ];
  const [, line] = formatTable(table, { width: undefined, flexible: [], colourOf: paintList });
  expect(line).toBe("\u001B[31m0-3\u001B[0m  x");
});

test("sentences break between words, and a word that is too long stays whole", () => {
  expect(wrapText("left out, no driver: 0000:01:10.0 0000:01:10.2", 34)).toEqual([
    "left out, no driver: 0000:01:10.0",
    "  0000:01:10.2",
  ]);
  expect(wrapText("a-very-long-word b", 5)).toEqual(["a-very-long-word", "  b"]);
});

test("what a terminal would obey is shown, not done: interfaces in pods may be called so", () => {
  const table = [
    ["A", "B"],
    ["a\u001B[2J", "\u009Bx"],
  ];
  const [, line] = formatTable(table, { width: undefined, flexible: [] });
  expect(line).toBe("a\\u001b[2J  \\u009bx");
  expect(wrapText("net1\u001B[2J is up\u0007", 80)).toEqual(["net1\\u001b[2J is up\\u0007"]);
  expect(escapeControls("two lines\nof ä and …")).toBe("two lines\nof ä and …");
});
