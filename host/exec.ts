// Runs other programs (IPAM delegates): no shell, an explicit environment without BUN_*, bounded output and time.

export interface ExecRequest {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; names that start with BUN_ are dropped. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly timeoutMs: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Exec {
  /** Runs to the end. A non-zero exit is a result; not startable, timed out or killed by a signal is an ExecError. */
  run(request: ExecRequest): Promise<ExecResult>;
}
