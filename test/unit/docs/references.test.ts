// What the pages point at is there: files, links, scripts, manifests.

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

const root = resolve(import.meta.dirname, "../../..");
const pages = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...globSync("docs/**/*.md", { cwd: root }),
];

function read(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

test("every file that ARCHITECTURE.md names exists", () => {
  const folders = "{cli,cni,deploy,deviceplugin,docs,host,kubelet,sriov,test,tuning}";
  const files = globSync(`${folders}/**/*.{ts,yaml,md}`, { cwd: root });
  const named = [...read("ARCHITECTURE.md").matchAll(/`([a-z][a-z/.-]*\.(?:ts|yaml|md))`/g)].map(([, name]) =>
    String(name),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
});

test.each(pages)("the links of %s lead to files", (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target]) => String(target));
  expect(links.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
});

test.each(pages)("the npm scripts of %s exist", (page) => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = [...read(page).matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, name]) => String(name));
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

test("the YAML of README.md is YAML", () => {
  const blocks = [...read("README.md").matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => String(text));
  expect(blocks.length).toBeGreaterThan(3);
  expect(blocks.flatMap((text) => parseAllDocuments(text).flatMap(({ errors }) => errors))).toEqual([]);
});
