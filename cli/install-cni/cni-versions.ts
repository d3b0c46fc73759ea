// Which CNI versions the executable to be installed answers to, as it says itself.

import * as v from "valibot";
import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";

/** The executable did not answer CNI's VERSION as the specification has it. */
class CniAnswerError extends HostError {
  readonly code = "ERR_CNI_ANSWER";

  constructor(executable: string, problem: string, options?: ErrorOptions) {
    super(`asking ${executable} for the CNI versions it knows: ${problem}`, options);
  }
}

const answerSchema = v.pipe(v.string(), v.parseJson(), v.object({ supportedVersions: v.array(v.string()) }));

/** As long as a start may take on an emulated or very busy node. */
const timeoutMs = 60_000;

/** Runs `executable` with CNI_COMMAND=VERSION. Throws ERR_CNI_ANSWER or ERR_EXEC. Source: CNI SPEC.md, "VERSION". */
export async function readCniVersions(
  host: Pick<Host, "exec">,
  executable: string,
): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await host.exec.run({
    command: executable,
    args: [],
    env: { CNI_COMMAND: "VERSION" },
    stdin: JSON.stringify({ cniVersion: "1.0.0" }),
    timeoutMs,
  });
  if (exitCode !== 0) throw new CniAnswerError(executable, `exit code ${exitCode}: ${stdout}${stderr}`);
  const answer = v.safeParse(answerSchema, stdout);
  if (answer.success) return answer.output.supportedVersions;
  throw new CniAnswerError(
    executable,
    `expected {"supportedVersions": [...]}, got ${JSON.stringify(stdout)}`,
  );
}
