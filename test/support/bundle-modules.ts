// What a program loads at once, as the bundler splits it: lazy imports are chunks of their own.

import { resolve } from "node:path";

interface Output {
  readonly entryPoint?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
}

/** The chunks of a program, by file name. */
export type BundleOutputs = Readonly<Record<string, Output>>;

const root = resolve(import.meta.dirname, "../..");

/** Bundles `entry`, a path of the repository, as what ships is bundled. */
export async function readBundle(entry: string): Promise<BundleOutputs> {
  const options = {
    entrypoints: [resolve(root, entry)],
    target: "bun",
    format: "esm",
    splitting: true,
    metafile: true,
  } satisfies Parameters<typeof Bun.build>[0] & { readonly metafile: boolean };
  const build = await Bun.build(options);
  return (build as unknown as { readonly metafile: { readonly outputs: BundleOutputs } }).metafile.outputs;
}

/** Modules of the chunk made for `source`, and of those that it imports at once. */
export function listModules(outputs: BundleOutputs, source: string): readonly string[] {
  const start = Object.entries(outputs).find(([, output]) => output.entryPoint?.endsWith(source) === true);
  const waiting = [start?.[0] ?? ""];
  const seen = new Set<string>();
  for (const name of waiting) {
    const output = outputs[name];
    if (output === undefined || seen.has(name)) continue;
    seen.add(name);
    waiting.push(...output.imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path));
  }
  return [...seen].flatMap((name) => Object.keys(outputs[name]?.inputs ?? {}));
}
