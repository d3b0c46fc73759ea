// Pods without a kubelet: network namespaces of the node, and a kubelet's checkpoint that only the calls of a test see.
import type { LabNode } from "../node/lab-node.ts";
import { formatCall } from "./cni-calls.ts";
import { quote } from "./node-scripts.ts";

/** What a runtime knows of a pod when it calls the CNI plugin. */
export interface BarePod {
  readonly name: string;
  readonly uid: string;
  readonly containerId: string;
  /** As containerd writes it. */
  readonly netns: string;
  /** CNI_ARGS as containerd and Multus write them. */
  readonly args: string;
}

/** The pod of this name; its namespace is there once makeNamespaces made it. */
export function barePod(name: string): BarePod {
  const uid = `00000000-0000-4000-8000-${Buffer.from(name).toString("hex").padStart(12, "0").slice(-12)}`;
  const containerId = Buffer.from(name).toString("hex").padEnd(64, "0");
  const args = [
    "IgnoreUnknown=true",
    "K8S_POD_NAMESPACE=default",
    `K8S_POD_NAME=${name}`,
    `K8S_POD_INFRA_CONTAINER_ID=${containerId}`,
    `K8S_POD_UID=${uid}`,
  ].join(";");
  return { name, uid, containerId, netns: `/var/run/netns/${name}`, args };
}

export async function makeNamespaces(node: LabNode, pods: readonly BarePod[]): Promise<void> {
  await node.run(pods.map(({ name }) => `ip netns add ${name} && ip -n ${name} link set lo up`).join(" && "));
}

/** Takes the pods away with all they may still have, as a runtime would: DEL for each that has a record, then its namespace. */
export async function removePods(node: LabNode, pods: readonly BarePod[]): Promise<void> {
  const config = { cniVersion: "1.0.0", name: "any", type: "virtfn" };
  const ends = pods.map(({ name, containerId, netns }) => {
    const del = formatCall({ command: "DEL", config, containerId, netns, ifName: "net1" });
    return `if grep -qs ${containerId} /var/lib/virtfn/attachments/*.json; then ${del}; fi
      [ ! -e /run/netns/${name} ] || ip netns del ${name}`;
  });
  await node.run(ends.join("\n"), { timeoutMs: 120_000 });
}

/**
 * Prelude for runScripts with mounts of its own: the kubelet seems to have given these devices to these pods, and hands out `registered`.
 * Source: kubernetes pkg/kubelet/cm/devicemanager/checkpoint/checkpoint.go.
 */
export function mountKubeletView(
  registered: readonly string[],
  allocated: Readonly<Record<string, readonly string[]>>,
): string {
  const entries = Object.entries(allocated).map(([uid, devices]) => ({
    PodUID: uid,
    ContainerName: "main",
    ResourceName: "sriov/vf",
    DeviceIDs: { "-1": devices },
    AllocResp: "",
  }));
  const Data = { PodDeviceEntries: entries, RegisteredDevices: { "sriov/vf": registered } };
  const folder = "/var/lib/kubelet/device-plugins";
  const file = `${folder}/kubelet_internal_checkpoint`;
  // Nor is there a device plugin then: where its sockets or its files are and its list is not, a network must not set what it may limit.
  const others = [
    "/var/lib/kubelet/plugins_registry",
    "/run/virtfn/deviceplugin",
    "/run/k8s.cni.cncf.io/devinfo/dp",
  ];
  return `for hidden in ${[folder, ...others].join(" ")}; do
      [ ! -d $hidden ] || mount -t tmpfs view $hidden
    done
    printf %s ${quote(JSON.stringify({ Data, Checksum: 0 }))} >${file}`;
}
