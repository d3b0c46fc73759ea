// Where a VF's interface is, and how: in the pod's namespace, or none for a program in userspace.

import { isUserspaceVf } from "../../sriov/inventory.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import type { DoctorReadings } from "../doctor/facts.ts";
import { done, type Step, stopped, untold } from "./step.ts";

/** The step of a VF that the pod has by its record. */
export function explainInterface(readings: DoctorReadings, record: Attachment): Step {
  const { inventory, namespaces } = readings;
  const { address } = record.device;
  const vf = "value" in inventory ? inventory.value.vfs.get(address) : undefined;
  if (vf !== undefined && isUserspaceVf(vf)) return explainUserspace(readings, record, vf);
  if ("unknown" in namespaces) return untold("interface", namespaces.unknown);
  const found = namespaces.value.found.get(address);
  if (found === undefined) return explainMissing(readings, record, vf?.netdevs[0]);
  const { link, path } = found;
  const state = link.hasCarrier ? "up" : link.isUp ? "up, without carrier" : "down";
  const text = `${link.name} in ${path} is ${state}, MAC ${link.mac}, MTU ${link.mtu}`;
  if (link.hasCarrier) return done("interface", text);
  return stopped(
    "interface",
    text,
    link.isUp
      ? "the PF's cable and state (virtfn status); link_state of the network: with auto the VF follows the PF"
      : "something in the pod took it down; in the pod: ip link set up",
  );
}

function explainUserspace(
  { grants }: DoctorReadings,
  { device }: Attachment,
  { driver, iommuGroup }: { readonly driver: string | undefined; readonly iommuGroup: number | undefined },
): Step {
  const text = `none: ${driver} has it, for a program in userspace`;
  if (iommuGroup === undefined || driver !== "vfio-pci") return done("interface", text);
  const now = `/dev/vfio/${iommuGroup}`;
  const given =
    "value" in grants
      ? grants.value.filter(({ ids }) => ids.includes(device.address)).flatMap(({ nodes }) => nodes)
      : [];
  const groups = given.filter((node) => /^\/dev\/vfio\/\d+$/.test(node));
  if (groups.length === 0 || groups.includes(now)) return done("interface", `${text}, by ${now}`);
  return stopped(
    "interface",
    `${text}; its group is ${now}, and the kubelet gives the container ${groups.join(", ")}, that of before a reboot`,
    "delete the pod: the kubelet asks anew for a new one only",
  );
}

function explainMissing({ namespaces }: DoctorReadings, record: Attachment, home: string | undefined): Step {
  if (home !== undefined)
    return stopped(
      "interface",
      `it is on the node as ${home}, not in the pod: somebody took it out, or the sandbox is ending`,
      "delete the pod: a new one gets a VF anew",
      "virtfn repair --dry-run tells whether its namespace is alive",
    );
  const problems = "value" in namespaces ? namespaces.value.problems : [];
  if (problems.length > 0)
    return untold(
      "interface",
      `not seen: ${problems[0]}`,
      "run it in the container tuning, or as root on the node",
    );
  return stopped(
    "interface",
    `${record.interface} is in no namespace that has a name or a process`,
    "delete the pod; virtfn doctor looks for interfaces of VFs that are nowhere",
  );
}
