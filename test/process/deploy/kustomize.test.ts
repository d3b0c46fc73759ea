// Every kustomization, and those of the README, as the real kubectl builds them.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";

import { findKubelet } from "../../support/find-kubelet.ts";

const root = resolve(import.meta.dirname, "../../..");
const kubectl = join(dirname(findKubelet() ?? "/none/kubelet"), "kubectl");
const why = existsSync(kubectl)
  ? ""
  : " (skipped: no kubectl: set KUBE_BIN_DIR, or let the lab build Kubernetes first)";

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
}

function kustomize(folder: string) {
  return spawnSync(kubectl, ["kustomize", folder], { encoding: "utf8" });
}

function build(folder: string): readonly Manifest[] {
  const { status, stdout, stderr } = kustomize(folder);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

test.skipIf(why !== "")(`all that lie below deploy/ are built${why}`, { timeout: 180_000 }, () => {
  const files = globSync("deploy/**/kustomization.yaml", { cwd: root });
  const folders = files.map(dirname).filter((folder) => !folder.includes("/components/"));
  expect(folders.length).toBeGreaterThan(10);
  for (const folder of folders)
    expect({ folder, objects: build(join(root, folder)) }).not.toEqual({ folder, objects: [] });
});

test.skipIf(why !== "").each([
  ["base", "base"],
  ["to take it away", "overlays/uninstall"],
])(`the README's, %s, has the image of the registry and its networks${why}`, (_, place) => {
  const [kustomization = "", networks = ""] = readYaml("README.md");
  const placed = kustomization.replace("kustomize/base", `kustomize/${place}`);
  const built = inFolder({ "kustomization.yaml": placed, "chained.yaml": networks }, build);
  const images = [...JSON.stringify(built).matchAll(/"image":"([^"]+)"/g)].map(([, image]) => image);
  expect([...new Set(images)]).toEqual(["REGISTRY/virtfn:0.1.0"]);
  expect(built.find(({ kind }) => kind === "ConfigMap")?.data).toEqual({ "chained.yaml": networks });
  expect(built.find(({ kind }) => kind === "DaemonSet")?.metadata.name).toBe("virtfn");
});

test.skipIf(why !== "")(`components go together as docs/install.md lists them, and only so${why}`, () => {
  const [kustomization = ""] = readYaml("docs/install.md");
  const text = JSON.stringify(inFolder({ "kustomization.yaml": kustomization }, build));
  for (const word of ['"--no-conflist"', '"--name=sriov"', '"--udev-rule"', '"spc_t"', '"provision"'])
    expect(text).toContain(word);
  const { components, ...rest } = parse(kustomization) as { readonly components: readonly string[] };
  const backwards = stringify({ ...rest, components: components.toReversed() });
  expect(inFolder({ "kustomization.yaml": backwards }, kustomize)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(
      "testing value /spec/template/spec/initContainers/0/name failed",
    ) as string,
  });
});

/** The YAML blocks of a page. */
function readYaml(page: string): readonly string[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => String(block));
}

/** What `use` makes of a folder with the files, beside a copy of deploy/. */
function inFolder<T>(files: Readonly<Record<string, string>>, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "virtfn-page-"));
  try {
    cpSync(join(root, "deploy"), join(folder, "deploy"), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
