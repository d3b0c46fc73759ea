// The demo's pods, as small as they can be: one container that waits, and asks for VFs.

export interface PodOptions {
  readonly name: string;
  readonly image: string;
  /** How many `sriov/vf` the container asks for. */
  readonly vfs: number;
  /** How long the container ignores SIGTERM; 0: it ends at once. */
  readonly slowStopSeconds?: number;
}

export const resource = "sriov/vf";

export function vfPod({ name, ...options }: PodOptions): object {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: name } }, spec: podSpec(options) };
}

/** A Deployment whose pods ask for VFs and come back by themselves after a reset of the node. */
export function vfDeployment({
  name,
  replicas,
  ...options
}: PodOptions & { readonly replicas: number }): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podSpec(options) };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

function podSpec({ image, vfs, slowStopSeconds = 0 }: Omit<PodOptions, "name">): object {
  const command =
    slowStopSeconds === 0
      ? undefined
      : ["sh", "-c", `trap 'sleep ${slowStopSeconds}; exit 0' TERM; while :; do sleep 1; done`];
  const containers = [vfContainer({ name: "main", image, vfs, command })];
  return { ...podDefaults, terminationGracePeriodSeconds: Math.max(1, slowStopSeconds * 2), containers };
}

/** What the lab's pods have in common, and what they need not have. */
export const podDefaults = {
  terminationGracePeriodSeconds: 1,
  enableServiceLinks: false,
  // The lab has no DNS service.
  dnsPolicy: "Default",
  automountServiceAccountToken: false,
};

/** A container that asks for VFs; without a command it waits for its end. */
export function vfContainer({
  name,
  image,
  vfs,
  command = ["stay"],
}: Omit<PodOptions, "slowStopSeconds"> & { readonly command?: readonly string[] | undefined }): object {
  const resources = vfs === 0 ? {} : { limits: { [resource]: String(vfs) } };
  return { name, image, imagePullPolicy: "Never", command, resources };
}
