// `bun test/lab/prepare/main.ts [--without-product]`: makes the lab's artefacts and prints them as JSON; progress on stderr.
import { parseArgs } from "node:util";
import { onInterrupt } from "../interrupt.ts";
import { createProgress } from "../progress.ts";
import { prepareLab } from "./prepare.ts";
import { LabRequirementsError } from "./requirements.ts";

const { values } = parseArgs({ options: { "without-product": { type: "boolean", default: false } } });
const signal = onInterrupt();
try {
  const artifacts = await prepareLab({
    progress: createProgress(),
    signal,
    withProduct: !values["without-product"],
  });
  process.stdout.write(`${JSON.stringify(artifacts, undefined, 2)}\n`);
} catch (error) {
  if (signal.aborted) process.stderr.write(`${String(signal.reason)}\n`);
  else process.stderr.write(`${error instanceof LabRequirementsError ? error.message : String(error)}\n`);
  process.exitCode = signal.aborted ? 130 : 1;
}
