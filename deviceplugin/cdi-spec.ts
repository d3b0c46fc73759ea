// CDI: the specification that tells a container runtime which device nodes come with a VF. Source: CDI specification 0.5.0.
import type { DeviceId } from "../sriov/aux-device.ts";
import type { DeviceGrant, DeviceNode } from "./device-grant.ts";

/** All specification files of ours begin so. */
const vendorPrefix = "virtfn.";

/** "example.com/fast" is of the kind "virtfn.example.com/net-fast": a vendor and a class that begin with a letter. */
function formatCdiKind(resource: string): string {
  return `${vendorPrefix}${resource.replace("/", "/net-")}`;
}

/** The name by which the kubelet asks the runtime for a device. */
export function formatCdiName(resource: string, address: DeviceId): string {
  return `${formatCdiKind(resource)}=${address}`;
}

/** The same wish for runtimes that know no CDI field yet, as an annotation of the container; its key is valid for every address. */
export function formatCdiAnnotation(resource: string, address: DeviceId): readonly [string, string] {
  return [`cdi.k8s.io/virtfn_${address.replaceAll(":", "-")}`, formatCdiName(resource, address)];
}

/** Name of the file of a resource. */
export function formatCdiFileName(resource: string): string {
  return `${formatCdiKind(resource).replace("/", "-")}.json`;
}

/** Whether a file is one that the device plugin wrote, for whatever resource. */
export function isOwnCdiFile(name: string): boolean {
  return name.startsWith(vendorPrefix) && name.endsWith(".json");
}

/** The file's text; `undefined` when no device has a node: a device without edits makes the file invalid. */
export function formatCdiSpec(
  resource: string,
  grants: ReadonlyMap<DeviceId, DeviceGrant>,
): string | undefined {
  const devices = [...grants]
    .filter(([, { nodes }]) => nodes.length > 0)
    .map(([name, { nodes }]) => ({ name, containerEdits: { deviceNodes: nodes.map(toEdit) } }));
  if (devices.length === 0) return undefined;
  // 0.5.0 is the first version that knows hostPath, and names that begin with a digit.
  return `${JSON.stringify({ cdiVersion: "0.5.0", kind: formatCdiKind(resource), devices }, undefined, 2)}\n`;
}

function toEdit({ hostPath, containerPath }: DeviceNode): object {
  return { path: containerPath, hostPath, permissions: "rw" };
}
