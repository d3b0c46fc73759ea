// Kubernetes, etcd and CNI plugins, built by Go from the modules that test/lab/kubernetes names.
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { goEnvironment } from "./go-environment.ts";
import { hashTree } from "./hash-files.ts";
import { cniPlugins, findGo, kubePrograms, type KubeSource } from "./kube-source.ts";
import { inStep, type Workshop } from "./workshop.ts";

export interface GoPrograms {
  readonly kubeBinDir: string;
  readonly cniBinDir: string;
}

/** Static executables, from the cache, from KUBE_BIN_DIR, or built now: about 6 minutes on 2 cores, half a minute for the CNI plugins alone. */
export async function provideGoPrograms(workshop: Workshop, source: KubeSource): Promise<GoPrograms> {
  const modules = join(workshop.repository, "test/lab/kubernetes");
  const inputs = [await hashTree(modules, ["go.mod", "go.sum"]), flags, tags, await findGo()];
  if (source.kind !== "given") {
    const folder = await workshop.cache.keep({
      name: "kubernetes",
      inputs,
      make: async (target) => {
        await inStep(
          workshop,
          "Kubernetes, etcd and CNI plugins from Go modules (6 to 12 minutes)",
          async () => {
            await build(workshop, modules, target, ["k8s", "etcd", "cni"]);
          },
        );
      },
    });
    return { kubeBinDir: join(folder, "kube"), cniBinDir: join(folder, "cni") };
  }
  if (source.hasCniPlugins) return { kubeBinDir: source.folder, cniBinDir: source.folder };
  const folder = await workshop.cache.keep({
    name: "cni-plugins",
    inputs,
    make: (target) =>
      inStep(workshop, "CNI plugins from a Go module", () => build(workshop, modules, target, ["cni"])),
  });
  return { kubeBinDir: source.folder, cniBinDir: join(folder, "cni") };
}

const packages = {
  k8s: kubePrograms.filter((name) => name !== "etcd").map((name) => `k8s.io/kubernetes/cmd/${name}`),
  // The module's root package is etcd, and is built under its folder's name.
  etcd: ["go.etcd.io/etcd/server/v3"],
  cni: cniPlugins.map((name) => {
    const kind = name === "host-local" || name === "static" ? "ipam" : "main";
    return `github.com/containernetworking/plugins/plugins/${kind}/${name}`;
  }),
} as const;

// Without them Kubernetes calls itself v0.0.0-master, which its own version checks refuse.
const version = { gitVersion: "v1.36.2", gitMajor: "1", gitMinor: "36" };
const versionFlags = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((name) =>
  Object.entries(version).map(([key, value]) => `-X ${name}.${key}=${value}`),
);
const flags = [
  "-trimpath",
  "-buildvcs=false",
  "-mod=readonly",
  "-p",
  "2",
  "-ldflags",
  `-s -w ${versionFlags.join(" ")}`,
];
const tags = "grpcnotrace,selinux";

type Part = keyof typeof packages;

/**
 * Fills `target` with kube/ and cni/. Go's own caches (4 GB) lie beside the artefacts, so that nothing else is touched and
 * a build that was interrupted goes on where it was; they are removed when it is complete.
 */
async function build(
  workshop: Workshop,
  modules: string,
  target: string,
  parts: readonly Part[],
): Promise<void> {
  const goFolder = join(workshop.cache.root, "go");
  const env = goEnvironment(goFolder);
  const all = join(target, "all");
  await mkdir(all);
  const wanted = parts.flatMap((part) => packages[part]);
  await workshop.runContained("go", ["build", ...flags, "-tags", tags, "-o", `${all}/`, ...wanted], {
    cwd: modules,
    env,
  });
  await mkdir(join(target, "kube"));
  await mkdir(join(target, "cni"));
  for (const path of wanted) {
    const isCni = path.includes("containernetworking");
    const built = path.endsWith("/v3") ? "server" : basename(path);
    const name = built === "server" ? "etcd" : built;
    await rename(join(all, built), join(target, isCni ? "cni" : "kube", name));
  }
  await rm(all, { recursive: true });
  await rm(goFolder, { recursive: true, force: true });
}
