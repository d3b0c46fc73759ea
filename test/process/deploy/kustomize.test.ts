// Every kustomization, and those of the README, as the real kubectl builds them.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

import { findKubelet } from "../../support/find-kubelet.ts";

const root = resolve(import.meta.dirname, "../../..");
const kubectl = join(dirname(findKubelet() ?? "/none/kubelet"), "kubectl");
const why = existsSync(kubectl)
  ? ""
  : " (skipped: no kubectl: set KUBE_BIN_DIR, or let the lab build Kubernetes first)";
const readme = readFileSync(join(root, "README.md"), "utf8");

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
}

function build(folder: string): readonly Manifest[] {
  const { status, stdout, stderr } = spawnSync(kubectl, ["kustomize", folder], { encoding: "utf8" });
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
  const folder = mkdtempSync(join(tmpdir(), "virtfn-readme-"));
  try {
    const [kustomization = "", networks = ""] = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map(
      ([, text]) => text,
    );
    cpSync(join(root, "deploy"), join(folder, "deploy"), { recursive: true });
    writeFileSync(
      join(folder, "kustomization.yaml"),
      kustomization.replace("kustomize/base", `kustomize/${place}`),
    );
    writeFileSync(join(folder, "chained.yaml"), networks);
    const built = build(folder);
    const images = [...JSON.stringify(built).matchAll(/"image":"([^"]+)"/g)].map(([, image]) => image);
    expect([...new Set(images)]).toEqual(["REGISTRY/virtfn:0.1.0"]);
    expect(built.find(({ kind }) => kind === "ConfigMap")?.data).toEqual({ "chained.yaml": networks });
    expect(built.find(({ kind }) => kind === "DaemonSet")?.metadata.name).toBe("virtfn");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
