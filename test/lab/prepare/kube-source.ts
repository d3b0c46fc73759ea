// Where the executables of Kubernetes come from: a folder that the user names, or Go.
import { join } from "node:path";
import { execa } from "execa";
import { isThere } from "./cache.ts";

/** What the control plane and the node run. */
export const kubePrograms = [
  "kubelet",
  "kube-apiserver",
  "kube-scheduler",
  "kube-controller-manager",
  "kubectl",
  "etcd",
] as const;

/** CNI plugins: the cluster's network, address management, and the one that virtfn is compared with. */
export const cniPlugins = ["bridge", "loopback", "host-device", "host-local", "static"] as const;

export type KubeSource =
  | { readonly kind: "build"; readonly needsGo: true }
  | {
      readonly kind: "given";
      readonly folder: string;
      readonly hasCniPlugins: boolean;
      readonly needsGo: boolean;
    }
  | {
      readonly kind: "incomplete";
      readonly folder: string;
      readonly missing: readonly string[];
      readonly needsGo: false;
    };

/** Reads KUBE_BIN_DIR; the CNI plugins may lie in the same folder, else they are built. */
export async function readKubeSource(): Promise<KubeSource> {
  const folder = process.env["KUBE_BIN_DIR"];
  if (folder === undefined || folder === "") return { kind: "build", needsGo: true };
  const missing = await listMissing(folder, kubePrograms);
  if (missing.length > 0) return { kind: "incomplete", folder, missing, needsGo: false };
  const hasCniPlugins = (await listMissing(folder, cniPlugins)).length === 0;
  return { kind: "given", folder, hasCniPlugins, needsGo: !hasCniPlugins };
}

/** Version of the `go` in PATH, such as go1.26.8, when it can fetch the version that go.mod asks for (1.21 and later). */
export async function findGo(): Promise<string | undefined> {
  const { stdout, failed } = await execa("go", ["env", "GOVERSION"], { reject: false });
  const minor = Number(/^go1\.(\d+)/.exec(stdout ?? "")?.[1]);
  return !failed && minor >= 21 ? stdout : undefined;
}

async function listMissing(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => isThere(join(folder, name))));
  return names.filter((_, index) => !found[index]);
}
