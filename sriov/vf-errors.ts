// Errors of giving a VF to a pod and taking it back.

import { SriovError } from "./errors.ts";

/** The driver of the PF does not report a setting that was asked for. */
export class VfUnsupportedError extends SriovError {
  readonly code = "ERR_VF_UNSUPPORTED";

  constructor(setting: string) {
    super(`the driver of this PF does not report ${setting}: it could be neither checked nor put back`);
  }
}

/** One PF-side setting was refused or did not take; the ones before it were undone. */
export class VfStepError extends SriovError {
  readonly code = "ERR_VF_STEP";

  constructor(
    on: string,
    step: string,
    undoProblems: readonly string[],
    options: { readonly cause: unknown },
  ) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super([`setting ${step} on ${on}: ${reason}`, ...undoProblems].join("; "), options);
  }
}

/** A rate was refused by a PF that has no link, as some drivers do then (igb, ixgbe): it can be set when the link is back. */
export class RateRefusedError extends VfStepError {
  /** The rate that was to be set, and the one that the VF has. */
  readonly expected: string;
  readonly got: string;

  constructor(
    on: string,
    { expected, got }: { readonly expected: string; readonly got: string },
    undoProblems: readonly string[],
    options: { readonly cause: unknown },
  ) {
    super(on, expected, ["its PF has no link, and takes no rate without one", ...undoProblems], options);
    this.expected = expected;
    this.got = got;
  }
}

/** A setting was accepted, but reads back differently. */
export class VfReadBackError extends SriovError {
  readonly code = "ERR_VF_READ_BACK";

  constructor(what: string, expected: string, got: string) {
    super(`reading back ${what}: expected ${expected}, got ${got}`);
  }
}

/** There is no such VF, or it has no netdev where it should have one. */
export class VfMissingError extends SriovError {
  readonly code = "ERR_VF_MISSING";
}

/** The VF cannot be reset by itself, or its reset failed. */
export class VfResetError extends SriovError {
  readonly code = "ERR_VF_RESET";
}

/** A BPF program of the pod cannot be taken off the VF: it would read the next pod's packets. */
export class VfProgramError extends SriovError {
  readonly code = "ERR_VF_PROGRAM";

  constructor(name: string, program: number, options: { readonly cause: Error }) {
    super(
      `taking the XDP program ${program} of the pod off ${name}: a bpf_link holds it: ${options.cause.message}; ` +
        "`bpftool link show` on the node tells its id, and with which process or pin it ends; `bpftool link detach id ID` ends it",
      options,
    );
  }
}

/** The VF's driver does not have the channels or rings that were asked for. */
export class LinkSizeError extends SriovError {
  readonly code = "ERR_LINK_SIZES";

  constructor(problems: readonly string[]) {
    super(problems.join(" | "));
  }
}

/** The VF belongs to someone alive; the runtime tries again later. */
export class VfBusyError extends SriovError {
  readonly code = "ERR_VF_BUSY";
}

/** Another function of the PF has the MAC that was asked for; it is free when the pod that has it is gone. */
export class VfMacTakenError extends SriovError {
  readonly code = "ERR_VF_MAC_TAKEN";
}

/** The node itself lives on the VF. */
export class VfNodeUseError extends SriovError {
  readonly code = "ERR_VF_NODE_USE";

  constructor(address: string, reason: string) {
    super(`refusing to give ${address} to a pod: the node itself uses it (${reason})`);
  }
}

/** The VF is given back, except for what the message lists; doing it again goes on where this stopped. */
export class ReleaseError extends SriovError {
  readonly code = "ERR_RELEASE";
  /** Where that is all that is left. */
  readonly owedRate: RateRefusedError | undefined;

  constructor(address: string, problems: readonly unknown[]) {
    const texts = problems.map((problem) => (problem instanceof Error ? problem.message : String(problem)));
    super(`giving back ${address}: ${texts.join("; ")}`, { cause: problems[0] });
    const [first, ...others] = problems;
    this.owedRate = others.length === 0 && first instanceof RateRefusedError ? first : undefined;
  }
}

/** An IPAM delegate is missing, failed, or answered what is no result. */
export class IpamError extends SriovError {
  readonly code = "ERR_IPAM";
  /** Number of the delegate's own error, where it gave one. */
  readonly delegateCode: number | undefined;

  constructor(
    doing: string,
    problem: string,
    options: ErrorOptions & { readonly delegateCode?: number | undefined } = {},
  ) {
    super(`${doing}: ${problem}`, options);
    this.delegateCode = options.delegateCode;
  }
}
