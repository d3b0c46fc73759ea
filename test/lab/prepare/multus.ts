// Multus's plugin (the thin one), built by Go from the module that test/lab/multus names.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describeFailure } from "./describe-failure.ts";
import { goEnvironment } from "./go-environment.ts";
import { hashTree } from "./hash-files.ts";
import { findGo } from "./kube-source.ts";
import { inStep, type Workshop } from "./workshop.ts";

/** `executable`: its path; `reason`: why there is none. */
export type Multus = { readonly executable: string } | { readonly reason: string };

const program = "gopkg.in/k8snetworkplumbingwg/multus-cni.v4/cmd/multus";
const flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-p", "2", "-ldflags", "-s -w"];

/** In the cache, or built now (2 to 3 minutes). Never throws for what this machine or its source of modules lacks. */
export async function provideMultus(workshop: Workshop): Promise<Multus> {
  const module = join(workshop.repository, "test/lab/multus");
  try {
    const folder = await workshop.cache.keep({
      name: "multus",
      inputs: [await hashTree(module, ["go.mod", "go.sum"]), program, flags, await findGo()],
      make: (target) =>
        inStep(workshop, "Multus from its Go module (2 to 3 minutes)", () => build(workshop, module, target)),
    });
    return { executable: join(folder, "multus") };
  } catch (error) {
    return { reason: `no Multus: ${describeFailure(error)}` };
  }
}

async function build(workshop: Workshop, module: string, target: string): Promise<void> {
  const goFolder = join(workshop.cache.root, "go-multus");
  const options = { cwd: module, env: goEnvironment(goFolder) };
  await workshop.runContained("go", ["build", ...flags, "-o", join(target, "multus"), program], options);
  await rm(goFolder, { recursive: true, force: true });
}
