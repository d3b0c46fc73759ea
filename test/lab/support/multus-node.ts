// Multus on the lab's node, as its own installation leaves it: executable, configuration before the cluster's, kubeconfig of a service account.
import { LAB_NETWORK } from "../artifacts.ts";
import type { DemoLab } from "../demo/demo-lab.ts";
import { quote } from "./node-scripts.ts";

/** As much of Multus's as its networks need. Source: the Kubernetes Network Custom Resource Definition De-facto Standard, section 3. */
export const networkDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "network-attachment-definitions.k8s.cni.cncf.io" },
  spec: {
    group: "k8s.cni.cncf.io",
    scope: "Namespaced",
    names: { plural: "network-attachment-definitions", kind: "NetworkAttachmentDefinition" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", properties: { config: { type: "string" } } } },
          },
        },
      },
    ],
  },
};

const namespace = "kube-system";
const account = "multus";
const folder = "/etc/cni/net.d/multus.d";
const kubeconfigPath = `${folder}/multus.kubeconfig`;
const executablePath = "/opt/cni/bin/multus";
const configurationPath = "/etc/cni/net.d/00-multus.conf";

/** What Multus's plugin may do in the cluster: as its own manifests say. */
const rights = [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account, namespace } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: account },
    rules: [
      { apiGroups: ["k8s.cni.cncf.io"], resources: ["*"], verbs: ["*"] },
      { apiGroups: [""], resources: ["pods", "pods/status"], verbs: ["get", "list", "update", "watch"] },
      { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch", "update"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: account },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: account },
    subjects: [{ kind: "ServiceAccount", name: account, namespace }],
  },
];

/** Makes Multus the node's network configuration, in front of the cluster's own without virtfn's entry. */
export async function installMultus(
  { kubectl, node }: Pick<DemoLab, "kubectl" | "node">,
  executable: string,
): Promise<void> {
  await kubectl.apply([networkDefinition, ...rights]);
  await kubectl.run(["wait", "--for=condition=Established", `crd/${networkDefinition.metadata.name}`]);
  const token = await kubectl.run(["create", "token", account, "-n", namespace, "--duration=10h"]);
  await node.copyIn(executable, executablePath, "0755");
  const cluster = JSON.parse(await node.run("cat /etc/cni/net.d/*.conflist")) as ClusterNetwork;
  const plugins = cluster.plugins.filter(({ type }) => type !== "virtfn");
  const configuration = {
    cniVersion: "1.0.0",
    name: "multus-cni-network",
    type: "multus",
    kubeconfig: kubeconfigPath,
    delegates: [{ ...cluster, cniVersion: "1.0.0", plugins }],
  };
  await node.run(`set -e; umask 077; mkdir -p ${folder}
    printf %s ${quote(JSON.stringify(kubeconfigOf(token)))} >${kubeconfigPath}
    printf %s ${quote(JSON.stringify(configuration))} >${configurationPath}.new
    mv ${configurationPath}.new ${configurationPath}`);
}

/** Takes away what `installMultus` left; pods of Multus's have ended. */
export async function removeMultus({ kubectl, node }: Pick<DemoLab, "kubectl" | "node">): Promise<void> {
  await node.run(`rm -rf ${configurationPath} ${executablePath} ${folder} /var/lib/cni/multus`);
  const global = [
    `crd/${networkDefinition.metadata.name}`,
    `clusterrole/${account}`,
    `clusterrolebinding/${account}`,
  ];
  await kubectl.run(["delete", "--ignore-not-found", ...global]);
  await kubectl.run(["delete", "--ignore-not-found", "-n", namespace, `serviceaccount/${account}`]);
}

interface ClusterNetwork {
  readonly plugins: readonly { readonly type: string }[];
}

/** JSON is YAML, too. */
function kubeconfigOf(token: string): object {
  const server = `https://${LAB_NETWORK.apiAddress}:${LAB_NETWORK.apiPort}`;
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "lab", cluster: { server, "certificate-authority": "/etc/kubernetes/pki/ca.crt" } }],
    users: [{ name: account, user: { token } }],
    contexts: [{ name: account, context: { cluster: "lab", user: account } }],
    "current-context": account,
  };
}
