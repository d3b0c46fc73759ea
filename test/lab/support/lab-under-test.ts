// The running lab as a test file uses it.
import { afterAll, inject } from "vitest";
import type { DemoLab } from "../demo/demo-lab.ts";
import { openNewVfs } from "../demo/vf-state.ts";
import { openLab, type OpenLab } from "../lab-handle.ts";

export type LabUnderTest = DemoLab & Pick<OpenLab, "handle">;

/**
 * Opens the lab for the whole file; closes its connections (never the lab) after the last test. VFs that an earlier file made anew
 * are opened once, so that what a file notes of them first is what they come back to.
 */
export async function openLabUnderTest(): Promise<LabUnderTest> {
  const lab = await openLab(inject("labDir"));
  afterAll(() => lab[Symbol.dispose]());
  await openNewVfs(lab.node);
  return { ...lab, toolsImage: lab.handle.artifacts.images.tools };
}
