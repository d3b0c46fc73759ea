// Errors of the operating-system layer: each has a stable code, and says what was done, on what, and what came back.

/** Base of every error that `host/` throws. `code` is stable and listed in docs/errors.md. */
export abstract class HostError extends Error {
  abstract readonly code: `ERR_${string}`;
  override get name(): string {
    return this.code;
  }
}

/** A system call failed: the message names the call, the arguments that matter and the errno by name. */
export class SystemCallError extends HostError {
  readonly code = "ERR_SYSTEM_CALL";
  readonly call: string;
  readonly errno: string;

  constructor(call: string, on: string, errno: string, options?: ErrorOptions) {
    super(`${call}(${on}) failed: ${errno}`, options);
    this.call = call;
    this.errno = errno;
  }
}

/** The kernel refused a netlink request: errno by name, and the extended-acknowledgement text when the kernel gave one. */
export class NetlinkError extends HostError {
  readonly code = "ERR_NETLINK";
  readonly errno: string;
  readonly extAck: string | undefined;

  constructor(doing: string, errno: string, extAck?: string) {
    super(`${doing}: ${errno}${extAck === undefined ? "" : ` (${extAck})`}`);
    this.errno = errno;
    this.extAck = extAck;
  }
}

/** A lock stayed taken for the whole waiting time; names the holder's pid where it is known. */
export class LockTimeoutError extends HostError {
  readonly code = "ERR_LOCK_TIMEOUT";
  readonly holderPid: number | undefined;

  constructor(path: string, waitedMs: number, holderPid: number | undefined) {
    const holder = holderPid === undefined ? "another process" : `process ${holderPid}`;
    super(`waited ${waitedMs} ms for the lock ${path}: ${holder} still holds it`);
    this.holderPid = holderPid;
  }
}

/** A program could not be started, timed out or was ended by a signal. A non-zero exit is a result, not an error. */
export class ExecError extends HostError {
  readonly code = "ERR_EXEC";

  constructor(command: string, problem: string, options?: ErrorOptions) {
    super(`running ${command}: ${problem}`, options);
  }
}
