// One lab for all files of the lab's tests: prepared, started, virtfn installed in it; VIRTFN_LAB_DIR names one that runs already.
import type { TestProject } from "vitest/node";
import { installVirtfn } from "./demo/install.ts";
import { demoVfs } from "./demo/steps.ts";
import { openNewVfs } from "./demo/vf-state.ts";
import { startLab } from "./lab.ts";
import { prepareLab } from "./prepare/prepare.ts";
import { createProgress } from "./progress.ts";
import { keepNodeText } from "./support/node-text.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of the running lab, for openLab. */
    readonly labDir: string;
  }
}

/** Gives the lab's folder to the tests, and its end back to vitest. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const running = process.env["VIRTFN_LAB_DIR"];
  if (running !== undefined) {
    project.provide("labDir", running);
    return undefined;
  }
  const progress = createProgress();
  const lab = await startLab({ artifacts: await prepareLab({ progress }), progress, numVfs: [demoVfs, 0] });
  try {
    await openNewVfs(lab.node);
    await keepNodeText(lab.handle, lab.node);
    const step = progress.step("virtfn installed");
    await installVirtfn(lab.kubectl, demoVfs);
    step.done();
  } catch (error) {
    await lab.stop();
    throw new Error(`virtfn in the lab; logs in ${lab.logsDir}`, { cause: error });
  }
  project.provide("labDir", lab.handle.dir);
  return async () => {
    await lab.stop();
    process.stderr.write(`the lab's logs: ${lab.logsDir}\n`);
  };
}
