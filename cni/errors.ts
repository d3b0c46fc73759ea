// Errors of a CNI call itself: its environment, its input, what it may not ask for. Their numbers are in run.ts.

import { HostError } from "../host/errors.ts";
import { SriovError } from "../sriov/errors.ts";

/** Variables of the environment are missing or wrong; the message names them all. */
export class EnvironmentError extends SriovError {
  readonly code = "ERR_CNI_ENVIRONMENT";

  constructor(problems: readonly string[]) {
    super(problems.join(" | "));
  }
}

/** stdin is not JSON, or no object. */
export class InputError extends SriovError {
  readonly code = "ERR_CNI_INPUT";

  constructor(problem: string, options?: ErrorOptions) {
    super(`reading the network configuration on stdin: ${problem}`, options);
  }
}

/** The version of the configuration is not one that this plugin, or the verb, knows. */
export class VersionError extends SriovError {
  readonly code = "ERR_CNI_VERSION";
}

/** CHECK found the pod's VFs otherwise than ADD left them; the message lists every difference. */
export class CheckError extends SriovError {
  readonly code = "ERR_CNI_CHECK";

  constructor(token: string, problems: readonly string[]) {
    super(`checking ${token}: ${problems.join(" | ")}`);
  }
}

/** No ADD of this configuration could succeed now; the message says why. */
export class NotReadyError extends SriovError {
  readonly code = "ERR_CNI_NOT_READY";
}

/** CHECK of a container that has no VF of ours. */
export class UnknownContainerError extends SriovError {
  readonly code = "ERR_CNI_UNKNOWN_CONTAINER";
}

/** CNI_NETNS is no network namespace that a pod can have. */
export class NetnsError extends SriovError {
  readonly code = "ERR_CNI_NETNS";
}

/** The device may not be given to this pod: the kubelet gave it to another one, or to none. */
export class NotAllocatedError extends SriovError {
  readonly code = "ERR_NOT_ALLOCATED";
}

/** A network names a PF that node.yaml does not name: whoever writes networks must not take any NIC of the node. */
export class PfNotAllowedError extends SriovError {
  readonly code = "ERR_PF_NOT_ALLOWED";

  constructor(pf: string, path: string, allowed: readonly { readonly name: string }[]) {
    const names = allowed.map(({ name }) => name).join(", ");
    super(
      `refusing to take a VF of ${pf}: expected one of the pfs of ${path}, which names ${names || "none"}`,
    );
  }
}

/** The VFs of this pod were attached already by an earlier entry of the same list. */
export class SecondEntryError extends SriovError {
  readonly code = "ERR_CNI_SECOND_ENTRY";
}

/** The kubelet could not be asked which devices the pod has. */
export class KubeletError extends SriovError {
  readonly code = "ERR_CNI_KUBELET";
}

/** What the resource of a VF allows stands nowhere now, although a device plugin of ours offers it. */
export class LimitsUnknownError extends SriovError {
  readonly code = "ERR_LIMITS_UNKNOWN";

  constructor(resource: string, path: string) {
    super(
      `looking for what networks may set on VFs of ${resource}: expected it in ${path}, where a running device plugin writes it, got no such file`,
    );
  }
}

/** The network requires a carrier, and none came in time. */
export class CarrierError extends SriovError {
  readonly code = "ERR_VF_CARRIER";

  constructor(address: string, name: string, waitedMs: number) {
    super(
      `${address} as ${name}: expected a carrier within ${waitedMs} ms (requireCarrierMs), got none: look at the PF's link and the VF's link_state`,
    );
  }
}

/** Something failed in a named step; code and cause are those of what failed. */
export class StepError extends SriovError {
  readonly code: `ERR_${string}`;
  readonly step: string;

  constructor(step: string, cause: unknown) {
    super(`step "${step}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.code = cause instanceof SriovError || cause instanceof HostError ? cause.code : "ERR_UNEXPECTED";
    this.step = step;
  }
}
