// `npm run image`: the product's image as a docker archive. `-- --lab`: everything that a lab needs, that image in the node's disk.
import { parseArgs } from "node:util";
import { execa } from "execa";
import { createWorkshop, inStep } from "../lab/prepare/workshop.ts";
import { buildProductImage } from "../lab/prepare/product-image.ts";
import { prepareLab } from "../lab/prepare/prepare.ts";
import { LabRequirementsError } from "../lab/prepare/requirements.ts";
import { onInterrupt } from "../lab/interrupt.ts";
import { createProgress } from "../lab/progress.ts";

const { values } = parseArgs({
  options: {
    lab: { type: "boolean", default: false },
    /** As buildah's FROM takes it; the Dockerfile's own when missing. */
    base: { type: "string" },
    name: { type: "string", default: "localhost/virtfn:latest" },
    out: { type: "string", default: "dist/virtfn-image.tar" },
  },
});
const context = { progress: createProgress(), signal: onInterrupt() };
try {
  await (values.lab ? prepareLab(context) : makeImage());
} catch (error) {
  const { signal } = context;
  const cause: unknown = signal.aborted ? signal.reason : error;
  process.stderr.write(`${cause instanceof LabRequirementsError ? cause.message : String(cause)}\n`);
  process.exitCode = signal.aborted ? 130 : 1;
}

async function makeImage(): Promise<void> {
  const workshop = createWorkshop(context);
  await execa(process.execPath, ["test/run/build.ts"], {
    stdio: ["ignore", process.stderr, "inherit"],
    cwd: workshop.repository,
  });
  const { base, name, out } = values;
  await inStep(workshop, `${out}: ${name}`, () => buildProductImage(workshop, { base, name, out }));
}
