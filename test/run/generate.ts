// `npm run generate`: writes all that is made from other files of the tree; with --check it only tells whether what is committed is stale.
import { execa } from "execa";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { formatChartValuesSchema } from "./chart-values.ts";
import { formatMetricsPage } from "./metrics-page.ts";
import { formatNetworkSchema } from "./network-schema.ts";

/** TypeScript from kubelet/proto; nothing else is in that folder. */
const protoFolder = "kubelet/gen";

/** Files of one function each, by path. */
const makers: Readonly<Record<string, () => string>> = {
  "docs/network.schema.json": formatNetworkSchema,
  "docs/metrics.md": formatMetricsPage,
  "deploy/helm/virtfn/values.schema.json": formatChartValuesSchema,
};

/** Texts by path. */
type Files = ReadonlyMap<string, string>;

/** Paths whose committed text differs from what is made now, missing and superfluous ones included. */
function findStale(fresh: Files, committed: Files): readonly string[] {
  const paths = new Set([...fresh.keys(), ...committed.keys()]);
  return [...paths].filter((path) => fresh.get(path) !== committed.get(path)).toSorted();
}

async function generate(): Promise<Files> {
  const out = await mkdtemp(join(tmpdir(), "virtfn-generate-"));
  try {
    const args = ["generate", "kubelet/proto", "--template", "kubelet/buf.gen.yaml", "--output", out];
    await execa("node_modules/.bin/buf", args, { stderr: "inherit" });
    const protos = await readFolder(protoFolder, join(out, protoFolder));
    return new Map([...protos, ...Object.entries(makers).map(([path, make]) => [path, make()] as const)]);
  } finally {
    await rm(out, { recursive: true });
  }
}

async function readCommitted(): Promise<Files> {
  const made = Object.keys(makers).map(async (path) => {
    const text = await readFile(path, "utf8").catch(() => undefined);
    return text === undefined ? [] : [[path, text] as const];
  });
  return new Map([...(await readFolder(protoFolder)), ...(await Promise.all(made)).flat()]);
}

/** The files of `folder`, by their path in `as`. */
async function readFolder(as: string, folder: string = as): Promise<Files> {
  const names = await readdir(folder).catch(() => []);
  const texts = names.map(
    async (name) => [join(as, name), await readFile(join(folder, name), "utf8")] as const,
  );
  return new Map(await Promise.all(texts));
}

const fresh = await generate();
const stale = findStale(fresh, await readCommitted());
if (process.argv.includes("--check")) {
  for (const path of stale) console.error(`${path} is stale: run \`npm run generate\` and commit it`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const path of stale) {
    const text = fresh.get(path);
    await (text === undefined ? rm(path) : writeFile(path, text));
    console.log(`${text === undefined ? "removed" : "wrote"} ${path}`);
  }
}
