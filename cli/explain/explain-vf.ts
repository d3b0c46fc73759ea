// The way of one VF: on the node, in a record, in the pod's namespace, and its interrupts on CPUs.

import type { Attachment } from "../../sriov/attachment.ts";
import { isNetworkDevice } from "../../sriov/inventory.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import type { DoctorReadings } from "../doctor/facts.ts";
import { explainInterface } from "./explain-interface.ts";
import { explainInterrupts } from "./explain-interrupts.ts";
import { describeSettings } from "./settings.ts";
import { done, type PodName, type Step, stopped, untold, walk } from "./step.ts";

/** Its steps up to where it stopped. */
export function explainVf(readings: DoctorReadings, pod: PodName, address: PciAddress): readonly Step[] {
  const record = findRecord(readings, address);
  const own = record !== undefined && isOf(record, pod) ? record : undefined;
  return walk([
    () => explainDevice(readings, address),
    () => explainRecord(readings, pod, address, record),
    () => (own === undefined ? undefined : explainOwner(readings, own)),
    () => (own === undefined ? undefined : explainInterface(readings, own)),
    () => (own === undefined ? undefined : explainInterrupts(readings, own)),
  ]);
}

function explainDevice({ inventory, advertised }: DoctorReadings, address: PciAddress): Step {
  if ("unknown" in inventory) return untold("device", inventory.unknown);
  const vf = inventory.value.vfs.get(address);
  if (vf === undefined)
    return stopped(
      "device",
      "it is gone from the PCI bus: the number of VFs was changed, or the card does not answer",
      "delete the pod: its controller makes a new one with a VF that is there",
    );
  const pf = inventory.value.pfs.get(vf.pf)?.netdevs[0] ?? vf.pf;
  const numa = vf.numaNode === undefined ? "" : `, NUMA node ${vf.numaNode}`;
  const problem = "value" in advertised ? advertised.value?.unhealthy.get(address)?.reason : undefined;
  const health = problem === undefined ? "" : `; unhealthy: ${problem}`;
  return done("device", `VF ${vf.index} of ${pf}, driver ${vf.driver ?? "none"}${numa}${health}`);
}

/** The record of this boot and of this very VF, or of one that is gone. */
function findRecord({ live, inventory }: DoctorReadings, address: PciAddress): Attachment | undefined {
  if ("unknown" in live) return undefined;
  const vf = "value" in inventory ? inventory.value.vfs.get(address) : undefined;
  return live.value.find(
    ({ device }) => device.address === address && (vf === undefined || device.inode === String(vf.inode)),
  );
}

/** A record that names no pod may be that of any. */
function isOf({ owner: { pod } }: Attachment, { namespace, name }: PodName): boolean {
  return pod === undefined || (pod.namespace === namespace && pod.name === name);
}

function explainRecord(
  readings: DoctorReadings,
  pod: PodName,
  address: PciAddress,
  record: Attachment | undefined,
): Step {
  if ("unknown" in readings.live) return untold("record", readings.live.unknown);
  if (record === undefined) return explainNoRecord(readings, pod, address);
  const { owner, interface: name, state, createdAt } = record;
  const who =
    owner.pod === undefined
      ? `container ${owner.containerId}`
      : `pod ${owner.pod.namespace}/${owner.pod.name}`;
  if (!isOf(record, pod))
    return stopped(
      "record",
      `${who} still has it: the CNI plugin answers ERR_VF_BUSY until that pod's network namespace is gone`,
      `virtfn explain pod ${owner.pod?.namespace}/${owner.pod?.name}`,
      "virtfn repair --dry-run tells whether it is alive",
    );
  if (state === "attached")
    return done(
      "record",
      `attached as ${name} by network ${owner.network} at ${createdAt}${describeSettings(record)}`,
    );
  const doing = state === "adding" ? "being attached" : "being given back";
  return stopped(
    "record",
    `it is ${doing} since ${createdAt}; if that stays, the CNI plugin was ended in the middle`,
    "the runtime asks again by itself",
    "kubectl describe pod shows the error of the last try",
  );
}

function explainNoRecord(readings: DoctorReadings, pod: PodName, address: PciAddress): Step {
  const { attachments, namespaces, inventory } = readings;
  const unreadable =
    "value" in attachments
      ? attachments.value.unreadable.find((file) => file.address === address)
      : undefined;
  if (unreadable !== undefined)
    return stopped("record", unreadable.error.message, "virtfn repair --dry-run tells what becomes of it");
  const vf = "value" in inventory ? inventory.value.vfs.get(address) : undefined;
  if (vf !== undefined && !isNetworkDevice(vf))
    return done("record", "none: it is no network device, and no CNI plugin attaches it");
  const away = "value" in namespaces ? namespaces.value.found.get(address) : undefined;
  const home = vf?.netdevs[0];
  const onNode = home === undefined ? "" : `; its interface is on the node as ${home}`;
  const where = away === undefined ? onNode : `; its interface is in ${away.path} as ${away.link.name}`;
  return stopped(
    "record",
    `the kubelet gave it, and nothing attached it: the CNI plugin was not called, or failed${where}`,
    ...explainWhyNot(readings, pod),
  );
}

function explainWhyNot({ cni }: DoctorReadings, { namespace, name }: PodName): readonly string[] {
  const places = [
    `kubectl describe pod -n ${namespace} ${name}: FailedCreatePodSandBox has the ERR_ code (docs/errors.md)`,
    "a pod with hostNetwork has no network of its own: the CNI plugin is not called for it",
    "virtfn doctor: executable and configuration of the CNI plugin",
  ];
  if ("unknown" in cni) return places;
  const { executable, configuration, confDir } = cni.value;
  if (configuration === undefined) places.unshift(`no CNI configuration is in ${confDir}`);
  if (executable.state !== "there") places.unshift(`${executable.path} is ${executable.state}`);
  return places;
}

function explainOwner({ owners }: DoctorReadings, { device, owner }: Attachment): Step {
  if ("unknown" in owners) return untold("namespace", owners.unknown);
  const verdict = owners.value.get(device.address);
  if (verdict === undefined) return untold("namespace", `nothing is known of ${owner.netns}`);
  if (verdict.state === "gone")
    return stopped(
      "namespace",
      `${verdict.reason}: the pod's sandbox is gone`,
      "virtfn repair gives the VF back",
    );
  if (verdict.isDying)
    return stopped("namespace", verdict.reason, "it takes the kernel some seconds; look again");
  return verdict.reason.includes("is unknown:")
    ? untold("namespace", verdict.reason)
    : done("namespace", verdict.reason);
}
