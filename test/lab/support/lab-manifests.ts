// The manifests of deploy/ as the lab's node can run them: only images and the name of the PF are others.
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import type { DemoLab } from "../demo/demo-lab.ts";

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: PodSpec & { readonly template?: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface Container {
  readonly image: string;
  readonly imagePullPolicy?: string;
}

/** The objects of a kustomization below deploy/; `pf` stands in the place of its examples' ens1f0. */
export async function renderForLab(
  { kubectl, toolsImage }: DemoLab,
  folder: string,
  pf = "ens1f0",
): Promise<readonly Manifest[]> {
  const path = fileURLToPath(new URL(`../../../deploy/${folder}`, import.meta.url));
  const text = await kubectl.run(["kustomize", path]);
  const images: Readonly<Record<string, string>> = { virtfn: "localhost/virtfn:lab", busybox: toolsImage };
  const inLab = (container: Container): Container => ({
    ...container,
    image: images[container.image.replace(/:.*/, "")] ?? container.image,
    imagePullPolicy: "Never",
  });
  return parseAllDocuments(text.replaceAll("ens1f0", pf)).map((document) =>
    changeContainers(document.toJS() as Manifest, inLab),
  );
}

function changeContainers(manifest: Manifest, change: (container: Container) => Container): Manifest {
  const { spec } = manifest;
  if (spec === undefined) return manifest;
  const { template } = spec;
  const changed =
    template === undefined ? {} : { template: { ...template, spec: withContainers(template.spec, change) } };
  return { ...manifest, spec: { ...withContainers(spec, change), ...changed } };
}

function withContainers<T extends PodSpec>(spec: T, change: (container: Container) => Container): T {
  const { containers, initContainers } = spec;
  return {
    ...spec,
    ...(containers === undefined ? {} : { containers: containers.map(change) }),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(change) }),
  };
}
