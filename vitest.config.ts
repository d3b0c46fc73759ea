// Test projects: unit (no kernel), netns (real kernel, fresh namespaces), process (real executables), lab (the emulated node), nodes (emulated nodes of their own), soak and soak-lab (in full what the others do in short).
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { ByPath } from "./test/run/by-path.ts";

function project(name: string, extra: object = {}): object {
  return { test: { name, include: [`test/${name}/**/*.test.ts`], pool: "threads", ...extra } };
}

const emulated = { fileParallelism: false, testTimeout: 900_000, hookTimeout: 900_000 };
const emulatedNode = { ...emulated, globalSetup: ["test/lab/global-setup.ts"] };
export default defineConfig({
  test: {
    sequence: { sequencer: ByPath },
    projects: [
      // vitest by itself leaves one CPU to others, which on two is half of them. No unit test is timed: the limit is for one that hangs.
      project("unit", { maxWorkers: availableParallelism(), testTimeout: 60_000 }),
      project("netns", { fileParallelism: false, testTimeout: 30_000 }),
      project("process", { fileParallelism: false, testTimeout: 180_000, hookTimeout: 120_000 }),
      project("lab", emulatedNode),
      project("nodes", emulated),
      project("soak", { fileParallelism: false, testTimeout: 3_600_000 }),
      project("soak-lab", { ...emulatedNode, testTimeout: 3_600_000 }),
    ],
  },
});
