// What the manifests grant: each container its own privileges and mounts, and nothing that nobody uses.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { expect, test } from "vitest";
import { parse, parseAllDocuments, parseDocument } from "yaml";

import { readDaemonEnvironment } from "../../bench/daemon-environment.ts";

const deploy = resolve(import.meta.dirname, "../../../deploy");
const base = join(deploy, "kustomize/base");

const containerSchema = v.object({
  name: v.string(),
  image: v.string(),
  args: v.array(v.string()),
  securityContext: v.looseObject({}),
  resources: v.object({ requests: v.looseObject({ cpu: v.string(), memory: v.string() }) }),
  readinessProbe: v.optional(v.looseObject({ httpGet: v.object({ path: v.string(), port: v.number() }) })),
  livenessProbe: v.optional(v.looseObject({ httpGet: v.object({ path: v.string(), port: v.number() }) })),
  volumeMounts: v.array(
    v.object({
      name: v.string(),
      mountPath: v.string(),
      readOnly: v.optional(v.boolean(), false),
      recursiveReadOnly: v.optional(v.string()),
      mountPropagation: v.optional(v.string()),
    }),
  ),
});

const podSchema = v.looseObject({
  initContainers: v.array(containerSchema),
  containers: v.array(containerSchema),
  volumes: v.array(
    v.looseObject({
      name: v.string(),
      hostPath: v.optional(v.object({ path: v.string(), type: v.string() })),
    }),
  ),
});

function readPod(): v.InferOutput<typeof podSchema> {
  const daemonSet = parse(readFileSync(join(base, "daemonset.yaml"), "utf8")) as {
    spec: { template: { spec: unknown } };
  };
  return v.parse(podSchema, daemonSet.spec.template.spec);
}

const pod = readPod();
const all = [...pod.initContainers, ...pod.containers];

const unprivileged = {
  runAsUser: 0,
  runAsGroup: 0,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

test("only tuning is privileged, the others have no capability, and every root is read-only", () => {
  expect(all.map(({ name, securityContext }) => [name, securityContext])).toEqual([
    ["install-cni-first", unprivileged],
    ["install-cni", unprivileged],
    ["deviceplugin", unprivileged],
    ["tuning", { runAsUser: 0, runAsGroup: 0, privileged: true, readOnlyRootFilesystem: true }],
  ]);
});

test("each container sees the host's folders it works with, at their own paths", () => {
  const paths = new Map(pod.volumes.map(({ name, hostPath }) => [name, hostPath?.path ?? "config map"]));
  const lines = all.flatMap(({ name, volumeMounts }) =>
    volumeMounts.map((mount) => {
      const source = paths.get(mount.name);
      const from = source === mount.mountPath ? "" : ` from ${source}`;
      const how = [mount.readOnly ? "ro" : "rw", mount.recursiveReadOnly, mount.mountPropagation];
      return `${name} ${mount.mountPath}${from} ${how.filter(Boolean).join(" ")}`;
    }),
  );
  expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    install-cni-first /opt/cni/bin rw
    install-cni-first /etc/cni/net.d rw
    install-cni-first /etc/virtfn/cni from config map ro
    install-cni-first /host from / ro IfPossible
    install-cni /opt/cni/bin rw
    install-cni /etc/cni/net.d rw
    install-cni /etc/virtfn/cni from config map ro
    deviceplugin /var/lib/kubelet/plugins_registry rw
    deviceplugin /var/lib/kubelet/device-plugins rw
    deviceplugin /var/lib/kubelet/pod-resources ro
    deviceplugin /var/lib/virtfn ro
    deviceplugin /run/virtfn rw
    deviceplugin /etc/virtfn/deviceplugin from config map ro
    deviceplugin /run/k8s.cni.cncf.io rw
    tuning /var/lib/virtfn rw
    tuning /run/virtfn rw
    tuning /run/netns rw HostToContainer
    tuning /var/lib/kubelet/pod-resources ro
    tuning /etc/virtfn ro
    tuning /run/k8s.cni.cncf.io rw
    "
  `);
  expect([...paths.keys()].toSorted()).toEqual(
    [...new Set(all.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)))].toSorted(),
  );
});

test("the pod needs no CNI, no token, and runs on every Linux node before other pods", () => {
  expect(pod).toMatchObject({
    hostNetwork: true,
    hostPID: true,
    serviceAccountName: "virtfn",
    automountServiceAccountToken: false,
    priorityClassName: "system-node-critical",
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ operator: "Exists" }],
  });
});

test("every daemon has a port of its own, which its probes ask on the node's address", () => {
  const ports = pod.containers.map(({ args, readinessProbe, livenessProbe }) => {
    const [, port] = /^--listen=\[\$\(HOST_IP\)\]:(\d+)$/.exec(args.at(-1) ?? "") ?? [];
    expect(readinessProbe?.httpGet).toEqual({ path: "/readyz", port: Number(port) });
    const alive = { path: "/healthz", port: Number(port) };
    expect(livenessProbe?.httpGet ?? alive).toEqual(alive);
    return port;
  });
  expect(new Set(ports).size).toBe(pod.containers.length);
  expect(ports).not.toContain(undefined);
});

test("the runtime that ships knows what is set for it", () => {
  const names = Object.keys(readDaemonEnvironment("tuning"));
  const runtime = readFileSync(resolve(deploy, "../node_modules/@oven/bun-linux-x64-baseline/bin/bun"));
  expect(names).toEqual(["BUN_GC_TIMER_INTERVAL"]);
  expect(names.filter((name) => !runtime.includes(name))).toEqual([]);
});

test("nothing is allowed at the API server, as nothing asks it", () => {
  const kinds = readdirSync(base)
    .filter((file) => file !== "kustomization.yaml")
    .flatMap((file) => parseAllDocuments(readFileSync(join(base, file), "utf8")))
    .map((document) => String(document.get("kind")));
  expect(kinds.toSorted()).toEqual(["DaemonSet", "Namespace", "ServiceAccount"]);
});

const components = readdirSync(join(deploy, "kustomize/components"));

test.each(["overlays/lab", "overlays/uninstall", ...components.map((name) => `components/${name}`)])(
  "every change of %s meets what is there in the base",
  (place) => {
    const { patches } = v.parse(
      v.object({
        patches: v.array(
          v.object({
            target: v.object({ kind: v.literal("DaemonSet"), name: v.literal("virtfn") }),
            patch: v.string(),
          }),
        ),
      }),
      parse(readFileSync(join(deploy, "kustomize", place, "kustomization.yaml"), "utf8")),
    );
    const daemonSet = parseDocument(readFileSync(join(base, "daemonset.yaml"), "utf8"));
    const operations = patches.flatMap(({ patch }) => parse(patch) as { op: string; path: string }[]);
    for (const { op, path } of operations) {
      const keys = path
        .split("/")
        .slice(1)
        .map((key) => (/^\d+$/.test(key) ? Number(key) : key.replaceAll("~1", "/")));
      // What is added needs its parent, what is replaced or removed must be there itself.
      const needed = op === "add" ? keys.slice(0, -1) : keys;
      expect({ path, isThere: daemonSet.hasIn(needed) }).toEqual({ path, isThere: true });
    }
  },
);

test("what takes the first init container for install-cni's looks whether it is", () => {
  const touching = components.filter((name) => {
    const text = readFileSync(join(deploy, "kustomize/components", name, "kustomization.yaml"), "utf8");
    return text.includes("/initContainers/0/");
  });
  expect(touching.toSorted()).toEqual(["multus", "sriov-name"]);
  for (const name of touching)
    expect(readFileSync(join(deploy, "kustomize/components", name, "kustomization.yaml"), "utf8")).toMatch(
      /- op: test\n +path: \/spec\/template\/spec\/initContainers\/0\/name\n +value: install-cni-first/,
    );
});

test("an overlay is the base with the component of its name", () => {
  const overlays = readdirSync(join(deploy, "kustomize/overlays")).filter((name) =>
    components.includes(name),
  );
  expect(overlays.toSorted()).toEqual(["cdi", "multus", "provision", "report", "selinux", "udev-rule"]);
  for (const name of overlays) {
    const file = join(deploy, "kustomize/overlays", name, "kustomization.yaml");
    const {
      resources,
      components: used,
      patches,
    } = parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    expect({ name, resources, used, patches }).toEqual({
      name,
      resources: ["../../base"],
      used: [`../../components/${name}`],
      patches: undefined,
    });
  }
});

test("the token that may label nodes and make Events is one container's, and the change meets the base", () => {
  const folder = join(deploy, "kustomize/components/report");
  const { patches } = parse(readFileSync(join(folder, "kustomization.yaml"), "utf8")) as {
    readonly patches: readonly [{ readonly patch: string }];
  };
  const operations = parse(patches[0].patch) as readonly { readonly op: string; readonly path: string }[];
  expect(operations.map(({ op, path }) => `${op} ${path}`)).toEqual([
    "add /spec/template/spec/containers/1/args/-",
    "add /spec/template/spec/containers/1/env/-",
    "add /spec/template/spec/containers/1/volumeMounts/-",
    "add /spec/template/spec/volumes/-",
  ]);
  expect(pod.containers[1]?.name).toBe("deviceplugin");
  const roles = parseAllDocuments(readFileSync(join(folder, "cluster-role.yaml"), "utf8")).map(
    (document) => document.toJSON() as { readonly kind: string; readonly rules?: unknown },
  );
  expect(roles.flatMap(({ kind, rules }) => (rules === undefined ? [] : [[kind, rules]]))).toEqual([
    ["ClusterRole", [{ apiGroups: [""], resources: ["nodes"], verbs: ["get", "patch"] }]],
    ["Role", [{ apiGroups: [""], resources: ["events"], verbs: ["create"] }]],
  ]);
});

test("uninstalling, nothing runs but one container that reaches the host through its process 1", () => {
  const file = join(deploy, "kustomize/overlays/uninstall/kustomization.yaml");
  const { patches } = parse(readFileSync(file, "utf8")) as { patches: [{ patch: string }] };
  const operations = parse(patches[0].patch) as { op: string; path: string; value?: unknown }[];
  const spec = "/spec/template/spec";
  expect(operations.filter(({ op }) => op === "remove").map(({ path }) => path)).toEqual([
    `${spec}/initContainers`,
    `${spec}/volumes`,
  ]);
  expect(operations.find(({ path }) => path === `${spec}/containers`)?.value).toMatchObject([
    {
      args: [
        "uninstall",
        "--stay",
        "--cni-bin-dir=/opt/cni/bin",
        "--cni-conf-dir=/etc/cni/net.d",
        "--kubelet-root=/var/lib/kubelet",
        "--listen=[$(HOST_IP)]:9813",
      ],
      readinessProbe: { httpGet: { path: "/readyz", port: 9813 } },
      securityContext: { privileged: true, readOnlyRootFilesystem: true },
    },
  ]);
  expect(pod["hostPID"]).toBe(true);
});

test("the patches of docs/install.md change volumes that there are, and flags of programs that there are", () => {
  const page = readFileSync(resolve(deploy, "../docs/install.md"), "utf8");
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(
    ([, text]) => parse(String(text)) as { patches?: [{ patch: string }] },
  );
  const [volumes, flags] = blocks.flatMap(({ patches }) => (patches === undefined ? [] : [patches[0].patch]));
  const { spec } = parse(volumes ?? "") as { spec: { template: { spec: { volumes: { name: string }[] } } } };
  const known = new Set(pod.volumes.map(({ name }) => name));
  expect(spec.template.spec.volumes.filter(({ name }) => !known.has(name))).toEqual([]);
  const values = (parse(flags ?? "") as { value: string }[]).map(({ value }) => value.split("=")[0]);
  expect(values).toEqual(["--cni-bin-dir", "--cni-conf-dir"]);
});

test("every example asks for VFs as limits and ends at SIGTERM", () => {
  const folder = join(deploy, "examples");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".yaml"))) {
    for (const document of parseAllDocuments(readFileSync(join(folder, file), "utf8"))) {
      expect(document.errors).toEqual([]);
      const text = JSON.stringify(document.toJSON());
      expect(text).toMatch(/"limits":\{"sriov\/vf":\d\}/);
      expect(text).toContain("trap 'exit 0' TERM");
    }
  }
});
