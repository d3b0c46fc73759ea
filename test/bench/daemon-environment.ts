// The environment that the DaemonSet gives to a daemon: what is measured runs as it does on a node.

import * as fs from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const manifest = join(import.meta.dirname, "../../deploy/kustomize/base/daemonset.yaml");

interface DaemonSet {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/** Variables with a value that the container of this name has; what is only known on a node (its address) is left out. */
export function readDaemonEnvironment(daemon: string): Readonly<Record<string, string>> {
  const { containers } = (parse(fs.readFileSync(manifest, "utf8")) as DaemonSet).spec.template.spec;
  const env = containers.find(({ name }) => name === daemon)?.env ?? [];
  return Object.fromEntries(
    env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])),
  );
}
