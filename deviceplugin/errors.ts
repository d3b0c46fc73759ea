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
  /** The HTTP status of its answer; `undefined` where it gave none. */
  readonly status: number | undefined;

  constructor(doing: string, cause: unknown, status?: number) {
    super(`${doing}: ${cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause)}`, { cause });
    this.status = status;
  }

  /** Whether the same request will be refused again: the server understood who asks, and what. Source: RFC 9110, 15.5. */
  get isFinal(): boolean {
    const { status = 0 } = this;
    return status >= 400 && status < 500 && !passing.has(status);
  }
}

/** A token that ran out, a timeout, a name that was taken, a server that has too much to do. */
const passing: ReadonlySet<number> = new Set([401, 408, 409, 425, 429]);
