// The guest agent's protocol: one line asks for a script, one line answers; ids pair them, so that a late answer meets nobody else.

export interface AgentRequest {
  readonly id: string;
  /** The guest kills the script after that; 0 is no limit. */
  readonly timeoutMs: number;
  readonly script: string;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AgentAnswer extends ExecResult {
  readonly id: string;
}

const emptyField = "-";

/** `<id> <time-out in ms> <base64 script>`. Source: test/lab/guest/agent.c. */
export function formatAgentRequest(request: AgentRequest): string {
  return [request.id, request.timeoutMs, encode(request.script)].join(" ");
}

/** The request in a line; undefined for anything else (half a line of a client that went away). */
export function parseAgentRequest(line: string): AgentRequest | undefined {
  const [id, timeoutMs, script, ...more] = line.split(" ");
  if (!id || !timeoutMs || !script || more.length > 0 || !/^\d+$/.test(timeoutMs)) return undefined;
  return { id, timeoutMs: Number(timeoutMs), script: decode(script) };
}

/** `<id> <exit code> <base64 stdout> <base64 stderr>`, `-` for no output. */
export function formatAgentAnswer(answer: AgentAnswer): string {
  return [answer.id, answer.exitCode, encode(answer.stdout), encode(answer.stderr)].join(" ");
}

/** The answer in a line; undefined for anything else (half a line from before a reset of the guest). */
export function parseAgentAnswer(line: string): AgentAnswer | undefined {
  const [id, exitCode, stdout, stderr, ...more] = line.split(" ");
  if (!id || !exitCode || !stdout || !stderr || more.length > 0 || !/^\d+$/.test(exitCode)) return undefined;
  return { id, exitCode: Number(exitCode), stdout: decode(stdout), stderr: decode(stderr) };
}

function encode(text: string): string {
  return text === "" ? emptyField : Buffer.from(text).toString("base64");
}

function decode(field: string): string {
  return field === emptyField ? "" : Buffer.from(field, "base64").toString();
}
