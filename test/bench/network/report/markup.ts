// Text as HTML, safely.

/** Text that is HTML already. */
type Html = string;

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escapeHtml(text: string): Html {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? "");
}

/** A table of plain cells; those that look like numbers stand right. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): Html {
  const header = head.map((cell) => `<th>${escapeHtml(cell)}</th>`).join("");
  const body = rows
    .map((row) => {
      const cells = row.map((cell) => {
        const kind = /^[-+]?[\d.,]+( %)?$/.test(cell) ? ' class="number"' : "";
        return `<td${kind}>${escapeHtml(cell)}</td>`;
      });
      return `<tr>${cells.join("")}</tr>`;
    })
    .join("\n");
  return `<div class="wide"><table><thead><tr>${header}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

/** A number with thousands apart, three digits that count. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}
