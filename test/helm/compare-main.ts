// `npm run test:helm`: Helm's own engine, built by Go, and the renderer of the unit tests make the same objects of the chart.

import { execa } from "execa";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parseAllDocuments, stringify } from "yaml";

import { renderChart } from "../support/helm-template.ts";
import { files, overlayValues, places, refusedValues } from "./value-sets.ts";

const chart = resolve(import.meta.dirname, "../../deploy/helm/virtfn");
const folder = await mkdtemp(join(tmpdir(), "virtfn-helm-"));
const helm = join(folder, "helm-render");

/** What Helm prints; its message where it refuses. */
async function renderByHelm(values: object): Promise<{ readonly text: string; readonly refusal: string }> {
  const path = join(folder, "values.yaml");
  await writeFile(path, stringify(values));
  const { stdout, stderr, failed } = await execa(helm, [chart, path], { reject: false });
  return { text: stdout, refusal: failed ? stderr : "" };
}

/** Objects by kind and name; YAML inside a ConfigMap is read too, as it may be written in several ways. */
function readObjects(text: string): Readonly<Record<string, unknown>> {
  const objects = parseAllDocuments(text).flatMap((document) => {
    const object = document.toJSON() as Record<string, unknown> | null;
    return object === null ? [] : [object];
  });
  const named = objects.map((object) => {
    const { name } = object["metadata"] as { readonly name: string };
    const data = Object.entries((object["data"] ?? {}) as Record<string, string>);
    const read = data.map(([file, content]) => [file, parseAllDocuments(content)[0]?.toJSON() as unknown]);
    return [`${String(object["kind"])} ${name}`, Object.assign(object, { data: Object.fromEntries(read) })];
  });
  return Object.fromEntries(named) as Readonly<Record<string, unknown>>;
}

const problems: string[] = [];
try {
  console.error("building Helm's engine (minutes when Go has it not in its cache)");
  await execa("go", ["build", "-mod=readonly", "-trimpath", "-o", helm, "."], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "inherit", "inherit"],
  });
  for (const [name, values] of Object.entries({ "no values": {}, ...overlayValues, files, places })) {
    const { text, refusal } = await renderByHelm(values);
    const texts = new Map(renderChart(chart, values));
    texts.delete("NOTES.txt");
    const isSame = isDeepStrictEqual(readObjects(text), readObjects([...texts.values()].join("\n---\n")));
    if (refusal !== "" || !isSame) problems.push(`${name}: ${refusal || "other objects"}`);
  }
  for (const values of refusedValues)
    if ((await renderByHelm(values)).refusal === "") problems.push(`takes ${JSON.stringify(values)}`);
} finally {
  await rm(folder, { recursive: true });
}
console.log(problems.length === 0 ? "Helm and the renderer of the tests agree" : problems.join("\n"));
process.exitCode = problems.length === 0 ? 0 : 1;
