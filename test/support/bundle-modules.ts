// What a program loads at once, as the bundler splits it: lazy imports are chunks of their own.

import { resolve } from "node:path";

interface Output {
  readonly entryPoint?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
  /** The chunk itself. */
  readonly text: string;
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
  const { outputs } = (build as unknown as { readonly metafile: { readonly outputs: BundleOutputs } })
    .metafile;
  const texts = new Map(
    await Promise.all(build.outputs.map(async (one) => [one.path, await one.text()] as const)),
  );
  return Object.fromEntries(
    Object.entries(outputs).map(([path, output]) => [path, { ...output, text: texts.get(path) ?? "" }]),
  );
}

/** Modules of the chunk made for `source`, and of those that it imports at once. */
export function listModules(outputs: BundleOutputs, source: string): readonly string[] {
  return listChunks(outputs, source).flatMap(({ inputs }) => Object.keys(inputs));
}

/** The runtime's own modules that these chunks import at once, without "node:": the metafile does not have them. */
export function listBuiltins(outputs: BundleOutputs, source: string): readonly string[] {
  const imports = /^import .*?from "([^./"][^"]*)";$/gm;
  return listChunks(outputs, source).flatMap(({ text }) =>
    [...text.matchAll(imports)].map(([, path = ""]) => path),
  );
}

function listChunks(outputs: BundleOutputs, source: string): readonly Output[] {
  const start = Object.entries(outputs).find(([, output]) => output.entryPoint?.endsWith(source) === true);
  const waiting = [start?.[0] ?? ""];
  const seen = new Set<string>();
  for (const name of waiting) {
    const output = outputs[name];
    if (output === undefined || seen.has(name)) continue;
    seen.add(name);
    waiting.push(...output.imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path));
  }
  return [...seen].flatMap((name) => outputs[name] ?? []);
}
