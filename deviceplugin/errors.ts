// Errors of the device plugin: bad flags, and devices that are not given to a container.
import { SriovError } from "../sriov/errors.ts";

/** The command line is wrong; the message says which flag and what it takes. */
export class DevicePluginUsageError extends SriovError {
  readonly code = "ERR_USAGE";

  constructor(problem: string, options?: ErrorOptions) {
    super(`virtfn deviceplugin: ${problem}; see \`virtfn deviceplugin --help\``, options);
  }
}

/** Why a device is refused: never offered, gone since, or taken over by another driver. */
export type RefusalReason = "unknown" | "vanished" | "driver";

/** The kubelet asked for a device that cannot be given. The pod fails, its controller makes another. */
export class AllocationError extends SriovError {
  readonly code = "ERR_ALLOCATION";
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, resource: string, id: string, problem: string) {
    super(`allocating ${id} of ${resource}: ${problem}`);
    this.reason = reason;
  }
}
