// What a run of the lab needs: made by test/lab/prepare, used by test/lab/node and test/lab/cluster.

/** Paths of everything that boots and drives the lab. All are read-only to a run: several labs may share them at once. */
export interface LabArtifacts {
  /** qemu-system-x86_64 >= 8 with the igb device. */
  readonly qemu: string;
  /** The guest's vmlinuz. */
  readonly kernel: string;
  /** Initramfs that mounts /dev/vda and starts its /sbin/init. */
  readonly initrd: string;
  /** Root file system (ext4, sparse), booted with snapshot=on; its containerd holds localhost/{pause:1,tools:1} and the product image. */
  readonly disk: string;
  /** Static kubelet, kube-apiserver, kube-scheduler, kube-controller-manager, kubectl, etcd. */
  readonly kubeBinDir: string;
  /** Static CNI plugins bridge, host-local, loopback, host-device, static; the disk has the same ones in /opt/cni/bin. */
  readonly cniBinDir: string;
  /** Keys, certificates, tokens and kubeconfigs; the file names are PKI_FILES. */
  readonly pki: string;
  /** Names of the images in the disk, as a pod's spec writes them; product is missing when the disk was made without it. */
  readonly images: { readonly tools: string; readonly product?: string };
}

/** Files below LabArtifacts.pki. One CA signs the API server, and its client certificate towards kubelets. */
export const PKI_FILES = {
  ca: "ca.crt",
  apiserverCert: "apiserver.crt",
  apiserverKey: "apiserver.key",
  kubeletClientCert: "kubelet-client.crt",
  kubeletClientKey: "kubelet-client.key",
  serviceAccountKey: "sa.key",
  tokens: "tokens.csv",
  adminKubeconfig: "admin.kubeconfig",
  schedulerKubeconfig: "scheduler.kubeconfig",
  controllerManagerKubeconfig: "controller-manager.kubeconfig",
} as const;

/** Addresses inside a lab's own network namespace; the disk and the certificates are made for them, each lab can use the same. */
export const LAB_NETWORK = {
  /** The lab's side of the tap, where the API server listens. */
  apiAddress: "10.99.0.1",
  apiPort: 6443,
  prefixLength: 30,
  nodeName: "n1",
  nodeAddress: "10.99.0.2",
  /** The same two of a second node (peer-node.ts). */
  peerApiAddress: "10.99.0.5",
  peerAddress: "10.99.0.6",
  podRange: "10.244.1.0/24",
  serviceRange: "10.96.0.0/24",
  /** API server as pods see it; translated by nftables in the guest. */
  serviceAddress: "10.96.0.1",
} as const;

/** Progress of long work, one step at a time; the caller prints times. */
export interface Progress {
  step(title: string): ProgressStep;
}

/** A step under way; done() ends it. */
interface ProgressStep {
  note(text: string): void;
  done(text?: string): void;
}
