// The order of test files: where one runs at a time, by path; so a run meets what the run before it met, whatever vitest remembers of it.

import { BaseSequencer, type TestSpecification } from "vitest/node";

export class ByPath extends BaseSequencer {
  /** Files that run side by side keep vitest's order: the slowest first. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isOneByOne = files.every(({ project }) => project.config.maxWorkers === 1);
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's, which sorts a copy.
    if (!isOneByOne) return super.sort(files);
    return files.toSorted((one, other) => (one.moduleId < other.moduleId ? -1 : 1));
  }
}
