// Keys, certificates, tokens and kubeconfigs of the lab's control plane, made once by openssl.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { LAB_NETWORK, PKI_FILES } from "../artifacts.ts";

/** Nodes that have a kubeconfig in every disk; the kernel command line (virtfn.node=) picks one. */
export const NODE_NAMES: readonly string[] = [LAB_NETWORK.nodeName, "n2", "n3"];

/** Path of a node's kubeconfig below the folder. */
function nodeKubeconfig(node: string): string {
  return join("nodes", `${node}.kubeconfig`);
}

/** Fills `folder` with PKI_FILES and one kubeconfig per node. Valid for 10 years; for a lab inside a namespace, for nothing else. */
export async function makePki(folder: string): Promise<void> {
  await mkdir(join(folder, "nodes"), { recursive: true });
  const openssl = (...args: readonly string[]) => execa("openssl", args, { cwd: folder });
  await openssl("genrsa", "-out", PKI_FILES.serviceAccountKey, "2048");
  const ca = [
    "-x509",
    "-keyout",
    "ca.key",
    "-out",
    PKI_FILES.ca,
    "-subj",
    "/CN=lab",
    "-addext",
    "keyUsage=critical,keyCertSign,digitalSignature",
  ];
  await openssl(...newKey, ...ca);
  const names = [
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    "DNS:localhost",
    "IP:127.0.0.1",
  ];
  const addresses = [LAB_NETWORK.apiAddress, LAB_NETWORK.serviceAddress].map((address) => `IP:${address}`);
  const served = `subjectAltName=${[...names, ...addresses].join(",")}`;
  await issue(openssl, {
    cert: PKI_FILES.apiserverCert,
    key: PKI_FILES.apiserverKey,
    subject: "/CN=kube-apiserver",
    extension: served,
  });
  const client = "extendedKeyUsage=clientAuth";
  await issue(openssl, {
    cert: PKI_FILES.kubeletClientCert,
    key: PKI_FILES.kubeletClientKey,
    subject: "/O=system:masters/CN=kube-apiserver",
    extension: client,
  });
  await writeUsers(folder);
}

const newKey = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"];

interface Leaf {
  readonly cert: string;
  readonly key: string;
  readonly subject: string;
  readonly extension: string;
}

async function issue(
  openssl: (...args: readonly string[]) => PromiseLike<unknown>,
  leaf: Leaf,
): Promise<void> {
  const signer = ["-x509", "-CA", PKI_FILES.ca, "-CAkey", "ca.key"];
  const extensions = ["-addext", leaf.extension, "-addext", "basicConstraints=critical,CA:FALSE"];
  await openssl(
    ...newKey,
    ...signer,
    "-keyout",
    leaf.key,
    "-out",
    leaf.cert,
    "-subj",
    leaf.subject,
    ...extensions,
  );
}

async function writeUsers(folder: string): Promise<void> {
  const users = [
    { file: PKI_FILES.adminKubeconfig, name: "admin", groups: "system:masters" },
    { file: PKI_FILES.schedulerKubeconfig, name: "system:kube-scheduler", groups: "" },
    { file: PKI_FILES.controllerManagerKubeconfig, name: "system:kube-controller-manager", groups: "" },
    ...NODE_NAMES.map((node) => ({
      file: nodeKubeconfig(node),
      name: `system:node:${node}`,
      groups: "system:nodes",
    })),
  ].map(({ file, name, groups }) => ({ file, name, groups, token: randomUUID() }));
  const rows = users.map(
    ({ token, name, groups }) => `${[token, name, name, groups].filter(Boolean).join(",")}\n`,
  );
  await writeFile(join(folder, PKI_FILES.tokens), rows.join(""));
  const ca = await readFile(join(folder, PKI_FILES.ca), "base64");
  for (const { file, token } of users) await writeFile(join(folder, file), kubeconfig(ca, token));
}

function kubeconfig(caBase64: string, token: string): string {
  return `apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster:
    server: https://${LAB_NETWORK.apiAddress}:${LAB_NETWORK.apiPort}
    tls-server-name: kubernetes.default.svc
    certificate-authority-data: ${caBase64}
contexts:
- name: lab
  context: {cluster: lab, user: lab}
users:
- name: lab
  user: {token: ${token}}
`;
}
