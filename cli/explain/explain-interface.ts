// Where a VF's interface is, and how: in the pod's namespace, or none for a program in userspace.

import { isUserspaceVf } from "../../sriov/inventory.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import { findStaleGrants } from "../../sriov/stale-groups.ts";
import type { DoctorReadings } from "../doctor/facts.ts";
import { done, type Step, stopped, untold } from "./step.ts";

/** The step of a VF that the pod has by its record. */
export function explainInterface(readings: DoctorReadings, record: Attachment): Step {
  const { inventory, namespaces } = readings;
  const { address } = record.device;
  const vf = "value" in inventory ? inventory.value.vfs.get(address) : undefined;
  if (vf !== undefined && isUserspaceVf(vf)) return explainUserspace(readings, record, vf.driver);
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
  { grants, inventory }: DoctorReadings,
  { device }: Attachment,
  driver: string | undefined,
): Step {
  const text = `none: ${driver ?? "no driver"} has it, for a program in userspace`;
  if ("unknown" in grants || "unknown" in inventory) return done("interface", text);
  const own = grants.value.filter(({ ids }) => ids.includes(device.address));
  const [stale] = findStaleGrants(own, inventory.value.vfs);
  if (stale === undefined) {
    const nodes = new Set(own.flatMap(({ nodes }) => nodes));
    return done("interface", nodes.size === 0 ? text : `${text}, by ${[...nodes].join(", ")}`);
  }
  const { given, now } = stale;
  const what = `its VFIO group is ${now.join(", ") || "none"}, and the kubelet gives the container ${given.join(", ")}`;
  return stopped(
    "interface",
    `${text}; ${what}, that of before a reboot`,
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
