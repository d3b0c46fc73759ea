// The control plane of the lab: etcd, API server, scheduler and controller manager beside the node, in the lab's network namespace.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type LabArtifacts, LAB_NETWORK, PKI_FILES } from "../artifacts.ts";
import { type Child, startChild } from "../child.ts";
import { waitUntil } from "../wait-until.ts";
import type { Kubectl } from "./kubectl.ts";

export interface ControlPlaneOptions {
  readonly artifacts: Pick<LabArtifacts, "kubeBinDir" | "pki">;
  /** Folder for etcd's data. */
  readonly dir: string;
  readonly logsDir: string;
  readonly netns: string;
  readonly kubectl: Kubectl;
  readonly signal: AbortSignal;
  /** Gets each program as it starts, so that it can be killed even when a later one fails. */
  started(child: Child): void;
}

/** The API server is ready, scheduler and controller manager have been started. Throws naming the program and the end of its log. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<void> {
  const start = (name: string, args: readonly string[]): Child => {
    const { artifacts, netns, logsDir } = options;
    const child = startChild({
      name,
      command: join(artifacts.kubeBinDir, name),
      args,
      netns,
      logFile: join(logsDir, `${name}.log`),
    });
    options.started(child);
    return child;
  };
  const pki = (file: keyof typeof PKI_FILES): string => join(options.artifacts.pki, PKI_FILES[file]);
  const data = join(options.dir, "etcd");
  await mkdir(data, { mode: 0o700 });
  const etcd = start("etcd", etcdArguments(data));
  const apiserver = start("kube-apiserver", apiserverArguments(pki, join(options.dir, "certs")));
  const askReady = (): Promise<string> =>
    options.kubectl.run(["get", "--raw=/readyz"], { timeoutMs: 10_000 });
  const ready = waitUntil("the API server", askReady, {
    timeoutMs: 120_000,
    intervalMs: 500,
    signal: options.signal,
  });
  await etcd.whileRunning(apiserver.whileRunning(ready));
  start("kube-scheduler", schedulerArguments(pki("schedulerKubeconfig")));
  start("kube-controller-manager", controllerManagerArguments(pki));
}

type PkiPath = (file: keyof typeof PKI_FILES) => string;

function etcdArguments(data: string): readonly string[] {
  const client = "http://127.0.0.1:2379";
  const peer = "http://127.0.0.1:2380";
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    "--unsafe-no-fsync",
    "--heartbeat-interval=1000",
    "--election-timeout=10000",
    "--initial-election-tick-advance=true",
  ];
}

function apiserverArguments(pki: PkiPath, certDir: string): readonly string[] {
  return [
    "--etcd-servers=http://127.0.0.1:2379",
    "--etcd-healthcheck-timeout=60s",
    "--etcd-readycheck-timeout=60s",
    "--request-timeout=5m",
    "--bind-address=0.0.0.0",
    `--advertise-address=${LAB_NETWORK.apiAddress}`,
    `--secure-port=${LAB_NETWORK.apiPort}`,
    `--tls-cert-file=${pki("apiserverCert")}`,
    `--tls-private-key-file=${pki("apiserverKey")}`,
    `--cert-dir=${certDir}`,
    `--service-cluster-ip-range=${LAB_NETWORK.serviceRange}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${pki("serviceAccountKey")}`,
    `--service-account-signing-key-file=${pki("serviceAccountKey")}`,
    `--token-auth-file=${pki("tokens")}`,
    "--authorization-mode=Node,RBAC",
    "--anonymous-auth=false",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    "--kubelet-preferred-address-types=InternalIP",
    `--kubelet-client-certificate=${pki("kubeletClientCert")}`,
    `--kubelet-client-key=${pki("kubeletClientKey")}`,
  ];
}

function schedulerArguments(kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
  ];
}

function controllerManagerArguments(pki: PkiPath): readonly string[] {
  return [
    `--kubeconfig=${pki("controllerManagerKubeconfig")}`,
    "--leader-elect=false",
    "--secure-port=0",
    `--service-account-private-key-file=${pki("serviceAccountKey")}`,
    `--root-ca-file=${pki("ca")}`,
    "--use-service-account-credentials=true",
    "--node-monitor-grace-period=10m",
  ];
}
