// Writes trees of small files and symbolic links below a folder, described as plain data.

import * as fs from "node:fs";
import { dirname, join, relative } from "node:path";

/** Text of a file (a newline is added), a link to a path below the same root, or a link with exactly this text. */
export type FolderEntry = string | { readonly to: string } | { readonly linkText: string };

/** Path below the root -> what is there. */
export type FolderPlan = Readonly<Record<string, FolderEntry>>;

/** Makes everything in `plan` below `root`; folders come by themselves, links are relative as the kernel's are. */
export function writeFolder(root: string, plan: FolderPlan): void {
  const made = new Set<string>();
  for (const [path, content] of Object.entries(plan)) {
    const at = join(root, path);
    const folder = dirname(at);
    if (!made.has(folder)) fs.mkdirSync(folder, { recursive: true });
    made.add(folder);
    if (typeof content === "string") fs.writeFileSync(at, `${content}\n`);
    else makeLink(at, "to" in content ? relative(folder, join(root, content.to)) : content.linkText);
  }
}

function makeLink(at: string, text: string): void {
  fs.rmSync(at, { force: true });
  fs.symlinkSync(text, at);
}
