// From a pod's request to its VFs: what the kubelet gave it, and the way of each VF from there.

import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import { formatCpuList } from "../../sriov/cpu-list.ts";
import { comparePciAddress, isPciAddress } from "../../sriov/pci-address.ts";
import type { DoctorReadings } from "../doctor/facts.ts";
import { explainVf } from "./explain-vf.ts";
import { done, type Explanation, type PodName, type Step, stopped, untold } from "./step.ts";

/** The pod at this moment, by what could be read of the node. */
export function explainPod(readings: DoctorReadings, pod: PodName): Explanation {
  const allocation = findPod(readings, pod);
  const given = listGiven(readings, allocation);
  const recorded = listRecorded(readings, pod);
  const ofKubelet = [...given.values()].flat().filter(isPciAddress);
  const vfs = [...new Set(ofKubelet.concat(recorded.map(({ device }) => device.address)))];
  const kubelet = tellKubelet(readings, pod, allocation, recorded.length);
  const isOver = vfs.length === 0 && kubelet.state === "stopped";
  const steps = isOver ? [kubelet] : [kubelet, tellDevices(readings, allocation, given, recorded)];
  return {
    pod,
    steps,
    vfs: vfs.toSorted(comparePciAddress).map((address) => ({
      address,
      steps: explainVf(readings, pod, address),
    })),
  };
}

function findPod({ pods }: DoctorReadings, { namespace, name }: PodName): PodAllocation | undefined {
  return "value" in pods
    ? pods.value.find((pod) => pod.namespace === namespace && pod.name === name)
    : undefined;
}

/** Its VFs and subfunctions by resource, of those that virtfn offers; where that is not known, all whose ids are PCI addresses. */
function listGiven(
  { advertised }: DoctorReadings,
  allocation: PodAllocation | undefined,
): ReadonlyMap<string, readonly string[]> {
  const own = "value" in advertised ? advertised.value?.pools : undefined;
  const given = new Map<string, readonly string[]>();
  for (const { devices } of allocation?.containers ?? [])
    for (const [resource, ids] of devices) {
      const known = own === undefined ? ids.filter(isPciAddress) : own.has(resource) ? ids : [];
      if (known.length > 0) given.set(resource, [...(given.get(resource) ?? []), ...known]);
    }
  return given;
}

function listRecorded({ live }: DoctorReadings, { namespace, name }: PodName): readonly Attachment[] {
  if ("unknown" in live) return [];
  return live.value.filter(({ owner: { pod } }) => pod?.namespace === namespace && pod.name === name);
}

function tellKubelet(
  readings: DoctorReadings,
  { namespace, name }: PodName,
  allocation: PodAllocation | undefined,
  records: number,
): Step {
  if ("unknown" in readings.pods)
    return untold("kubelet", readings.pods.unknown, "run it in the container tuning, or as root on the node");
  if (allocation !== undefined) {
    const containers = allocation.containers.map((container) => {
      const cpus = formatCpuList(container.cpus);
      return cpus === "" ? container.name : `${container.name} (CPUs ${cpus} of its own)`;
    });
    return done("kubelet", `admitted on this node, containers ${containers.join(", ")}`);
  }
  const before = tellEarlierBoot(readings, { namespace, name });
  const held = records === 0 ? "" : "; it still has records, its network namespace may be ending";
  return stopped(
    "kubelet",
    `the kubelet of this node has no such pod: it is not on this node, was not admitted, or is gone${before}${held}`,
    `kubectl get pod -n ${namespace} ${name} -o wide`,
    "where it failed with UnexpectedAdmissionError, kubectl describe pod tells the reason",
  );
}

// The kubelet fails pods with devices when the node starts again.
function tellEarlierBoot({ attachments, live }: DoctorReadings, { namespace, name }: PodName): string {
  if ("unknown" in attachments || "unknown" in live) return "";
  const old = attachments.value.records.filter(
    (record) =>
      !live.value.includes(record) &&
      record.owner.pod?.namespace === namespace &&
      record.owner.pod.name === name,
  );
  const vfs = old.map(({ device }) => device.address);
  return vfs.length === 0 ? "" : `; before the node was started again it had ${vfs.join(", ")}`;
}

function tellDevices(
  { advertised }: DoctorReadings,
  allocation: PodAllocation | undefined,
  given: ReadonlyMap<string, readonly string[]>,
  recorded: readonly Attachment[],
): Step {
  if (given.size > 0) {
    const lists = [...given].map(([resource, ids]) => `${resource}: ${[...new Set(ids)].join(", ")}`);
    const hasOthers = [...given.values()].flat().some((id) => !isPciAddress(id));
    const others = hasOthers
      ? "; a subfunction is attached by another CNI plugin, which leaves no record"
      : "";
    return done("devices", `the kubelet gave it ${lists.join("; ")}${others}`);
  }
  const outside = recorded.filter(({ pickedBy }) => pickedBy === "cni");
  if (outside.length > 0)
    return done(
      "devices",
      "none of the kubelet's: the CNI plugin took what its network names (pf), or a fixed device",
    );
  if (allocation === undefined)
    return untold("devices", "the kubelet does not tell; below is what records say");
  if ("unknown" in advertised)
    return untold(
      "devices",
      `its containers have no device with a PCI address; what is offered here is not known: ${advertised.unknown}`,
    );
  const own = [...(advertised.value?.pools.keys() ?? [])];
  const offered = own.length === 0 ? "nothing is offered on this node" : `offered here: ${own.join(", ")}`;
  return stopped(
    "devices",
    `its containers have no VF (${offered})`,
    "a container gets one by resources.limits; ordinary init containers are not told of by the kubelet",
    "virtfn status: what is offered, and why other VFs are not",
  );
}
