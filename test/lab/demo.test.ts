// The main job: every step of the demo, each of which asserts what it shows.
import { describe, expect, test } from "vitest";
import { createDemoSteps } from "./demo/steps.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";

const lab = await openLabUnderTest();

describe("a pod that asks for a VF gets one", () => {
  test.for(createDemoSteps(lab))("$title", async (step, { annotate }) => {
    const shown = await step.run();
    expect(shown).toBeTypeOf("string");
    await annotate(shown);
  });
});
