// Where a VF's interrupts go, and whether tuning pinned them.

import type { Attachment } from "../../sriov/attachment.ts";
import { formatCpuList } from "../../sriov/cpu-list.ts";
import { formatVectorRole } from "../../sriov/irq-role.ts";
import type { Vector } from "../../sriov/vectors.ts";
import type { DoctorReadings } from "../doctor/facts.ts";
import { done, type Step, untold } from "./step.ts";

/** The step of a VF with a network driver; none where it has no interrupts of the kernel's. */
export function explainInterrupts({ vectors, pins }: DoctorReadings, record: Attachment): Step | undefined {
  if ("unknown" in vectors) return untold("interrupts", vectors.unknown);
  const own = vectors.value.get(record.device.address) ?? [];
  const queues = own.filter(({ role, affinity }) => role?.kind !== "other" && affinity !== undefined);
  if (queues.length === 0)
    return done("interrupts", "none are registered: a driver in userspace, or one that has none");
  const pinned = "value" in pins ? (pins.value.get(record.device.address) ?? []) : [];
  const isHeld = ({ msiIndex, affinity }: Vector): boolean =>
    pinned.some((pin) => pin.msiIndex === msiIndex && affinity?.length === 1 && affinity[0] === pin.cpu);
  const list = queues.map(
    ({ irq, role, affinity }) => `${irq} (${formatVectorRole(role)}) on ${formatCpuList(affinity ?? [])}`,
  );
  const policy = record.tuning?.policy === undefined ? "" : `, policy ${record.tuning.policy}`;
  return done(
    "interrupts",
    `${list.join(", ")}${policy}; ${tellPins(queues.filter(isHeld).length, queues.length, pinned.length)}`,
  );
}

function tellPins(held: number, queues: number, pinned: number): string {
  if (held === queues) return "pinned by tuning";
  if (pinned === 0) return "not pinned: tuning does not run, has not come to it yet, or its policy is none";
  return `${held} of ${queues} as tuning pinned them: something else moves them (virtfn doctor)`;
}
