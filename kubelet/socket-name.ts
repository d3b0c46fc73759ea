// How a plugin's socket is called.

/** Name of a resource's socket, in both of the kubelet's folders: "sriov_vf.sock" for sriov/vf. */
export function formatSocketName(resource: string): string {
  return `${resource.replaceAll("/", "_")}.sock`;
}
