// Whether a device can be given to a pod, and if not, why: one reason, the one that explains the others.
import type { Attachment } from "../sriov/attachment.ts";

/** What is wrong, as metrics name it. */
export type HealthCode =
  | "vanished"
  | "config-space"
  | "driver"
  | "outside-kubelet"
  | "unknown-owner"
  | "other-resource"
  | "link"
  | "flapping";

export interface HealthProblem {
  readonly code: HealthCode;
  /** In words: "the PF ens1f0 has no link". */
  readonly reason: string;
}

/** What was seen of one device. */
export interface HealthFacts {
  /** False when the VF is gone from the PCI bus, or made anew: the one that was offered is no more. */
  readonly isPresent: boolean;
  /** The first bytes of its PCI configuration space; `undefined` where they cannot be read. */
  readonly configSpace: Uint8Array | undefined;
  readonly driver: string | undefined;
  /** The driver that it was offered with, or that its owner gave it to. */
  readonly expectedDriver: string | undefined;
  /** The record that says who has it; none of an earlier boot or of another VF. */
  readonly record: Pick<Attachment, "owner" | "pickedBy"> | undefined;
  /** Whether the kubelet gave it to a container; `undefined` when the kubelet's checkpoint cannot tell. */
  readonly isAllocated: boolean | undefined;
  /** The resource that it was given as, where that is another one; `undefined` where it is not, or that cannot be told. */
  readonly otherResource: string | undefined;
  /** The PF's netdev without link; `undefined` when it has one, when it is not known, and when links are to be ignored. */
  readonly pfWithoutLink: string | undefined;
}

/** The problem of a device; `undefined` for a healthy one. */
export function findHealthProblem(facts: HealthFacts): HealthProblem | undefined {
  const { driver, expectedDriver, record, otherResource, pfWithoutLink } = facts;
  if (!facts.isPresent) return problem("vanished", "the VF is gone");
  if (isAllOnes(facts.configSpace)) {
    return problem("config-space", "the device does not answer: its PCI configuration space reads all ones");
  }
  if (driver !== expectedDriver) {
    return problem("driver", `expected the driver ${expectedDriver ?? "none"}, got ${driver ?? "none"}`);
  }
  if (record?.pickedBy === "cni") return problem("outside-kubelet", "taken outside the kubelet");
  if (record !== undefined && facts.isAllocated === false) {
    return problem("unknown-owner", `${nameOwner(record.owner)} has it, which the kubelet does not know`);
  }
  if (record !== undefined && otherResource !== undefined)
    return problem("other-resource", `${nameOwner(record.owner)} has it as a device of ${otherResource}`);
  if (pfWithoutLink !== undefined) return problem("link", `the PF ${pfWithoutLink} has no link`);
  return undefined;
}

function problem(code: HealthCode, reason: string): HealthProblem {
  return { code, reason };
}

// A VF reads ones where its vendor is (SR-IOV specification, 3.4.1.1), but not in its command and status words.
function isAllOnes(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && bytes.length >= 8 && bytes.every((byte) => byte === 0xff);
}

function nameOwner({ pod, containerId }: Attachment["owner"]): string {
  return pod === undefined ? `container ${containerId}` : `pod ${pod.namespace}/${pod.name}`;
}
