// The init container `provision` of its overlay, run by pods of their own: the DaemonSet of the lab stays as it is.
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

import { productNamespace } from "../demo/install.ts";
import type { LabUnderTest } from "./lab-under-test.ts";

const overlay = fileURLToPath(new URL("../../../deploy/kustomize/overlays/provision", import.meta.url));
const resources = "resources";

interface Named {
  readonly name: string;
}

interface PodSpec {
  readonly initContainers: readonly Named[];
  readonly volumes: readonly Named[];
  readonly [key: string]: unknown;
}

/** Runs the init container with `config` as the device plugin's configuration; what it reported, once the pod's container runs. */
export async function provisionByPod(lab: LabUnderTest, name: string, config: object): Promise<string> {
  const metadata = { name, namespace: productNamespace };
  const data = { "config.yaml": JSON.stringify(config) };
  await lab.kubectl.apply([
    { apiVersion: "v1", kind: "ConfigMap", metadata, data },
    { apiVersion: "v1", kind: "Pod", metadata, spec: await makeSpec(lab, name) },
  ]);
  await lab.kubectl.run(
    ["wait", "--for=condition=Ready", `pod/${name}`, "-n", productNamespace, "--timeout=150s"],
    {
      timeoutMs: 160_000,
    },
  );
  return lab.kubectl.logs({ pod: name, namespace: productNamespace, container: "provision" });
}

export async function removeProvisionPods(
  { kubectl }: LabUnderTest,
  names: readonly string[],
): Promise<void> {
  await kubectl.run(["delete", "pod,configmap", "-n", productNamespace, "--ignore-not-found", ...names], {
    timeoutMs: 120_000,
  });
}

// The lab's image, and the same settings of the pod: network, processes, tolerations.
async function makeSpec({ kubectl, toolsImage }: LabUnderTest, name: string): Promise<object> {
  const rendered = parseAllDocuments(await kubectl.run(["kustomize", overlay])).map(
    (document) => document.toJS() as { readonly kind?: string; readonly spec?: unknown },
  );
  const daemonSet = rendered.find(({ kind }) => kind === "DaemonSet");
  const spec = (daemonSet?.spec as { readonly template: { readonly spec: PodSpec } } | undefined)?.template
    .spec;
  const container = spec?.initContainers.find((one) => one.name === "provision");
  if (spec === undefined || container === undefined) throw new Error("the overlay has no such container");
  const mounted = new Set(
    (container as { volumeMounts: readonly Named[] } & Named).volumeMounts.map((at) => at.name),
  );
  const volumes = spec.volumes.filter((volume) => mounted.has(volume.name));
  return {
    ...spec,
    terminationGracePeriodSeconds: 1,
    initContainers: [{ ...container, image: "localhost/virtfn:lab", imagePullPolicy: "Never" }],
    containers: [{ name: "main", image: toolsImage, imagePullPolicy: "Never", command: ["stay"] }],
    volumes: volumes.map((volume) =>
      volume.name === resources ? { name: resources, configMap: { name } } : volume,
    ),
  };
}
