// Errors of the device plugin: bad flags, devices that are not given to a container, an API server that cannot be told.
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

/** The API server was not asked, or did not do what it was asked for. */
export class ClusterError extends SriovError {
  readonly code = "ERR_CLUSTER";

  constructor(doing: string, cause: unknown) {
    super(`${doing}: ${cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause)}`, { cause });
  }
}
