// Test projects: unit (no kernel), netns (real kernel, fresh namespaces), process (real executables), lab (the emulated node), soak (what npm test leaves out).
import { defineConfig } from "vitest/config";

function project(name: string, extra: object = {}): object {
  return { test: { name, include: [`test/${name}/**/*.test.ts`], pool: "threads", ...extra } };
}

const emulatedNode = {
  fileParallelism: false,
  globalSetup: ["test/lab/global-setup.ts"],
  testTimeout: 900_000,
  hookTimeout: 900_000,
};
// Not in `npm test`: it fails, because nobody yet drops the records of an earlier boot whose VFs no new pod takes.
const resetTests = "test/lab/reset.test.ts";

export default defineConfig({
  test: {
    projects: [
      project("unit"),
      project("netns", { fileParallelism: false, testTimeout: 30_000 }),
      project("process", { fileParallelism: false, testTimeout: 60_000, hookTimeout: 120_000 }),
      project("lab", { ...emulatedNode, exclude: [resetTests] }),
      project("soak", { ...emulatedNode, include: [resetTests] }),
    ],
  },
});
