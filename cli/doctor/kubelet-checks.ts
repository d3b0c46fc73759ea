// The kubelet's side: its folders, what is offered to it, and what it thinks that pods have.

import type { DeviceGrant } from "../../kubelet/checkpoint-grants.ts";
import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import { isNetworkDevice } from "../../sriov/inventory.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import { findStaleGrants, listVfioGroups, type StaleGrant } from "../../sriov/stale-groups.ts";
import { findUnrecorded } from "../../sriov/unrecorded-pods.ts";
import { findPodOf } from "../node/pod-allocations.ts";
import { type Check, count, fail, type Finding, listSome, makeCheck, warn } from "./check.ts";

const rootDir = "virtfn needs the kubelet's usual folder: no --root-dir other than /var/lib/kubelet";

export const kubeletChecks: readonly Check[] = [
  makeCheck({
    name: "kubelet",
    needs: ["kubelet"],
    find: ({ kubelet: { devicePlugins, pluginsRegistry, registration, podResources } }) => {
      if (devicePlugins.kind !== "directory")
        return [
          fail(`no folder ${devicePlugins.path}`, {
            expected: "the kubelet's folder of device plugins",
            fix: rootDir,
          }),
        ];
      const found: Finding[] = [];
      if (registration.kind !== "socket")
        found.push(
          fail(`no socket ${registration.path}`, {
            expected: "the running kubelet's",
            fix: "systemctl status kubelet; journalctl -u kubelet",
          }),
        );
      if (pluginsRegistry.kind !== "directory")
        found.push(
          warn(
            `no folder ${pluginsRegistry.path}: after a kubelet's restart devices are back some seconds later`,
            {
              expected: "the kubelet's folder of plugins",
              fix: rootDir,
            },
          ),
        );
      if (podResources.kind !== "socket")
        found.push(
          warn(`no socket ${podResources.path}: pods' own CPUs, and whose a VF is, are not known`, {
            expected: "the kubelet's PodResources API",
            fix: "systemctl status kubelet",
          }),
        );
      return found;
    },
    ok: ({ kubelet }) => `its folders and sockets are there (${kubelet.registration.path})`,
  }),
  makeCheck({
    name: "plugin-sockets",
    needs: ["pluginSockets", "advertised"],
    find: ({ pluginSockets: { served, unserved } }) => {
      if (unserved.length === 0) return [];
      const who = served.length === 0 ? "the device plugin does not run" : "not all resources are served";
      return [
        fail(`${who}: nobody listens for ${listSome(unserved, 3)}`, {
          expected: "a socket of each resource, that the kubelet gets its devices from",
          fix: "kubectl get pods -n virtfn-system -o wide; kubectl logs of the container deviceplugin",
        }),
      ];
    },
    ok: ({ pluginSockets: { served }, advertised }) =>
      advertised === undefined || served.length === 0
        ? "no resource is offered, so none is served"
        : `the device plugin serves ${listSome(served, 3)}`,
  }),
  makeCheck({
    name: "device-plugin",
    needs: ["advertised"],
    find: ({ advertised }) => {
      if (advertised === undefined)
        return [
          warn("no device plugin has looked since the node started", {
            expected: "VFs offered to the kubelet",
            fix: "kubectl get pods -n virtfn-system -o wide; kubectl logs of the container deviceplugin",
          }),
        ];
      const unhealthy = Map.groupBy(advertised.unhealthy, ([, { reason }]) => reason);
      return [...unhealthy].map(([reason, vfs]) =>
        warn(
          `${reason}: ${listSome(
            vfs.map(([address]) => address),
            3,
          )}`,
          {
            expected: "healthy VFs",
            fix: "virtfn status shows each; it is healthy again when the reason is gone",
          },
        ),
      );
    },
    ok: ({ advertised }) =>
      listSome([...(advertised?.pools ?? [])].map(([name, ids]) => `${name}: ${count(ids.length, "VF")}`)) ||
      "no resource is configured",
  }),
  makeCheck({
    name: "pod-records",
    needs: ["pods", "advertised", "live", "inventory"],
    find: ({ pods, advertised, live, inventory }) => {
      const own = new Set(advertised?.pools.keys());
      const isAttachable = (address: PciAddress): boolean => {
        const vf = inventory.vfs.get(address);
        return vf === undefined || isNetworkDevice(vf);
      };
      const found = Map.groupBy(
        findUnrecorded(pods, own, { records: live, isAttachable }),
        ({ namespace, pod }) => `${namespace}/${pod}`,
      );
      return [...found].map(([pod, vfs]) =>
        tellUnrecorded(pod, [...new Set(vfs.map(({ address }) => address))]),
      );
    },
    ok: ({ pods, live }) =>
      `${count(pods.length, "pod")} at the kubelet, ${count(live.length, "record")} of VFs in use`,
  }),
  makeCheck({
    name: "vfio-groups",
    needs: ["grants", "inventory", "pods"],
    find: ({ grants, inventory, pods }) =>
      findStaleGrants(grants, inventory.vfs).flatMap((stale) => tellStale(stale, pods)),
    ok: ({ grants }) => {
      const nodes = grants.filter((grant) => listVfioGroups(grant.nodes).length > 0);
      return nodes.length === 0
        ? "no container has a VFIO group"
        : `those of ${count(nodes.length, "container")} are their VFs'`;
    },
  }),
];

function tellUnrecorded(pod: string, vfs: readonly string[]): Finding {
  return warn(`the kubelet gave ${listSome(vfs, 3)} to pod ${pod}, and there is no record of it`, {
    expected:
      "what the CNI plugin writes when it attaches a VF (a pod that just starts or has ended has none)",
    fix: `virtfn explain pod ${pod}`,
  });
}

function tellStale(
  { grant, given, now }: StaleGrant<DeviceGrant>,
  pods: readonly PodAllocation[],
): readonly Finding[] {
  const { ids, container } = grant;
  const pod = findPodOf(pods, grant);
  // The checkpoint keeps pods that are gone for a while.
  if (pod === undefined) return [];
  const { namespace, name } = pod;
  return [
    fail(
      `container ${container} of pod ${namespace}/${name} is given the VFIO group ${given.join(", ")} at each start`,
      {
        expected: `${now.join(", ") || "none"}, the group of ${ids.join(", ")} since the node booted again`,
        fix: `kubectl delete pod -n ${namespace} ${name}: the kubelet asks anew for a new pod only`,
      },
    ),
  ];
}
