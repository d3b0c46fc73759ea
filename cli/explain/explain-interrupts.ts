// Where a VF's interrupts go, and whether tuning pinned them.

import type { Attachment } from "../../sriov/attachment.ts";
import { formatContestedPin } from "../../sriov/contested-pins.ts";
import { formatCpuList } from "../../sriov/cpu-list.ts";
import { formatVectorRole } from "../../sriov/irq-role.ts";
import type { Vector } from "../../sriov/vectors.ts";
import type { DoctorReadings } from "../doctor/facts.ts";
import { done, type Step, untold } from "./step.ts";

/** The step of a VF that its pod has: which CPUs serve its queues. It never stops the way. */
export function explainInterrupts(readings: DoctorReadings, record: Attachment): Step {
  const { vectors } = readings;
  if ("unknown" in vectors) return untold("interrupts", vectors.unknown);
  const own = vectors.value.get(record.device.address) ?? [];
  const queues = own.filter(({ role, affinity }) => role?.kind !== "other" && affinity !== undefined);
  if (queues.length === 0)
    return done("interrupts", "none are registered: a driver in userspace, or one that has none");
  const list = queues.map(
    ({ irq, role, affinity }) => `${irq} (${formatVectorRole(role)}) on ${formatCpuList(affinity ?? [])}`,
  );
  const policy = record.tuning?.policy === undefined ? "" : `, policy ${record.tuning.policy}`;
  return done("interrupts", `${list.join(", ")}${policy}; ${tellPins(readings, record, queues)}`);
}

function tellPins(
  { pins, contested }: Pick<DoctorReadings, "pins" | "contested">,
  { device }: Attachment,
  queues: readonly Vector[],
): string {
  if ("unknown" in pins) return `whether tuning pinned them is not known: ${pins.unknown}`;
  const pinned = pins.value.get(device.address) ?? [];
  const held = queues.filter(({ msiIndex, affinity }) =>
    pinned.some((pin) => pin.msiIndex === msiIndex && affinity?.length === 1 && affinity[0] === pin.cpu),
  );
  if (held.length === queues.length) return "pinned by tuning";
  const resting = "value" in contested ? contested.value.find(({ vf }) => vf === device.address) : undefined;
  if (resting !== undefined) return formatContestedPin(resting);
  if (pinned.length === 0)
    return "not pinned: tuning does not run, has not come to it yet, or its policy is none";
  return `${held.length} of ${queues.length} as tuning pinned them: something else moves them (virtfn doctor)`;
}
