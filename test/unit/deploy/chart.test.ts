// The Helm chart makes the objects of the kustomize manifests: those of the base by default, those of each overlay by a value.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";

import { chartValues, formatChartValuesSchema } from "../../run/chart-values.ts";
import { files, overlayValues, places, refusedValues } from "../../helm/value-sets.ts";
import { merge, renderChart, type Values } from "../../support/helm-template.ts";

const deploy = resolve(import.meta.dirname, "../../../deploy");
const chart = join(deploy, "helm/virtfn");

type Objects = Readonly<Record<string, unknown>>;

/** Objects by kind and name. */
function readObjects(texts: Iterable<string>): Objects {
  const documents = [...texts].flatMap((text) => parseAllDocuments(text));
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const objects = documents.map(
    (document) => document.toJSON() as { kind: string; metadata: { name: string } },
  );
  return Object.fromEntries(
    objects.filter((one) => one !== null).map((one) => [`${one.kind} ${one.metadata.name}`, one]),
  );
}

function render(values: Readonly<Record<string, unknown>> = {}): Objects {
  const texts = new Map(renderChart(chart, values));
  texts.delete("NOTES.txt");
  return readObjects(texts.values());
}

function readBase(): Objects {
  const base = join(deploy, "kustomize/base");
  const files = readdirSync(base).filter((file) => file !== "kustomization.yaml");
  return readObjects(files.map((file) => readFileSync(join(base, file), "utf8")));
}

interface Operation {
  readonly op: "add" | "replace" | "remove" | "test";
  readonly path: string;
  readonly value?: unknown;
}

/** The objects with the changes of a component, or of the overlay `uninstall` (RFC 6902). */
function patch(before: Objects, name: string): Objects {
  const folder = join(deploy, "kustomize", name === "uninstall" ? "overlays" : "components", name);
  const kustomization = parse(readFileSync(join(folder, "kustomization.yaml"), "utf8")) as {
    readonly patches: readonly { readonly patch: string }[];
    readonly resources?: readonly string[];
  };
  const added = (kustomization.resources ?? []).filter((file) => file.endsWith(".yaml"));
  const objects = {
    ...structuredClone(before),
    ...readObjects(added.map((file) => readFileSync(join(folder, file), "utf8"))),
  };
  const operations = kustomization.patches.flatMap((one) => parse(one.patch) as Operation[]);
  for (const { op, path, value } of operations) {
    const keys = path
      .split("/")
      .slice(1)
      .map((key) => key.replaceAll("~1", "/"));
    const last = keys.pop() ?? "";
    const parent = keys.reduce<unknown>(
      (at, key) => (at as Record<string, unknown>)[key],
      objects["DaemonSet virtfn"],
    );
    if (op === "test") {
      const is = (parent as Record<string, unknown>)[last];
      if (is !== value) throw new Error(`${name}: ${path} is ${String(is)}`);
    } else if (op === "remove") delete (parent as Record<string, unknown>)[last];
    else if (Array.isArray(parent) && op === "add")
      parent.splice(last === "-" ? parent.length : Number(last), 0, value);
    else (parent as Record<string, unknown>)[last] = value;
  }
  return objects;
}

test("by default it makes the objects of the base", () => {
  expect(render()).toEqual(readBase());
});

test.each(Object.entries(overlayValues))("it makes the objects of the overlay %s", (overlay, values) => {
  expect(render(values)).toEqual(patch(readBase(), overlay));
});

test("it makes the objects of all components together", () => {
  const { uninstall: _other, ...components } = overlayValues;
  expect(readdirSync(join(deploy, "kustomize/components")).toSorted()).toEqual(
    Object.keys(components).toSorted(),
  );
  const values = Object.assign({}, ...Object.values(components)) as Values;
  expect(render(values)).toEqual(Object.keys(components).reduce(patch, readBase()));
});

test("networks and resources become the files that the programs read", () => {
  const { networks, deviceplugin } = files;
  const objects = render(files) as Record<string, { data: Record<string, string> }>;
  expect(parse(objects["ConfigMap virtfn-cni"]?.data["chained.yaml"] ?? "")).toEqual({ networks });
  expect(parse(objects["ConfigMap virtfn-deviceplugin"]?.data["config.yaml"] ?? "")).toEqual(deviceplugin);
});

test("image, namespace, folders, ports and places can be others", () => {
  const text = JSON.stringify(render(places));
  expect(text).not.toContain("virtfn-system");
  expect(text).not.toContain('"kind":"Namespace"');
  expect(text.match(/"image":"registry.test\/virtfn:0.1.0","imagePullPolicy":"Never"/g)).toHaveLength(4);
  for (const part of [
    '"namespace":"net"',
    '"path":"/data/kubelet/plugins_registry"',
    '"path":"/data/kubelet/pod-resources"',
    '"path":"/data/bin"',
    '"path":"/data/net.d"',
    // Not below the kubelet's root. Source: kubernetes pkg/kubelet/cm/devicemanager/manager.go, NewManagerImpl.
    '"path":"/var/lib/kubelet/device-plugins"',
    '"mountPath":"/var/lib/kubelet/device-plugins"',
    '"--listen=[$(HOST_IP)]:19811"',
    '"nodeSelector":{"kubernetes.io/os":"linux","sriov":"here"}',
    '"affinity":{"nodeAffinity":{}}',
    '"imagePullSecrets":[{"name":"pull"}]',
    '"team":"net"',
  ])
    expect(text).toContain(part);
  expect(text).not.toContain("tolerations");
  expect(text).not.toContain("priorityClassName");
});

test("what is taken away is looked for where it was put", () => {
  const text = JSON.stringify(render({ ...places, uninstall: true }));
  for (const flag of ["cni-bin-dir=/data/bin", "cni-conf-dir=/data/net.d", "kubelet-root=/data/kubelet"])
    expect(text).toContain(`"--${flag}"`);
});

test("the notes say what to do next", () => {
  expect(renderChart(chart).get("NOTES.txt")).toContain("kubectl get nodes");
  expect(renderChart(chart, { uninstall: true }).get("NOTES.txt")).toContain(
    "kubectl rollout status -n virtfn-system",
  );
});

test("values.yaml is what its schema says, and the schema is generated", () => {
  const values: unknown = parse(readFileSync(join(chart, "values.yaml"), "utf8"));
  expect(v.parse(chartValues, values)).toEqual(values);
  expect(readFileSync(join(chart, "values.schema.json"), "utf8")).toBe(formatChartValuesSchema());
  for (const refused of refusedValues)
    expect([refused, v.is(chartValues, merge(values as Values, refused))]).toEqual([refused, false]);
});

test("the chart's version is the program's", () => {
  const { version } = JSON.parse(readFileSync(resolve(deploy, "../package.json"), "utf8")) as {
    version: string;
  };
  const about = parse(readFileSync(join(chart, "Chart.yaml"), "utf8")) as Record<string, unknown>;
  expect(about).toMatchObject({ version, appVersion: version });
});
