// Logs what passes did, and each problem once when it appears and once when it is gone.

import type { Log } from "../host/log.ts";
import { ownerToken } from "../sriov/attachment.ts";
import type { VfOutcome } from "./apply-plan.ts";
import type { PassReport } from "./pass.ts";
import { type Problem, problemKey } from "./problem.ts";

export class ReportLog {
  readonly #log: Log;
  #known: ReadonlyMap<string, Problem> = new Map();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Logs the pass; returns the problems that the pass before did not have. */
  add(report: PassReport): readonly Problem[] {
    for (const [pciAddress, { isChanged }] of report.channels)
      if (isChanged) this.#log.info({ pciAddress }, "changed the channels");
    for (const plan of report.plans) {
      const outcome = report.applied.get(plan.target.vf.address);
      const { record, vf } = plan.target;
      const about = this.#log.child({
        pciAddress: vf.address,
        pod: record.owner.pod?.name,
        namespace: record.owner.pod?.namespace,
        owner: ownerToken(record.owner),
      });
      const vectors = report.undone.get(vf.address);
      if (vectors !== undefined) about.warn({ vectors }, "found pins undone");
      if (outcome !== undefined && countChanges(outcome) > 0) {
        const pins = plan.pins.map(({ msiIndex, to }) => `${msiIndex} -> CPU ${to}`);
        const masks = plan.masks.map(({ queue, to }) => `${queue} ${to}`);
        const values = plan.values.map(({ path, to }) => `${path} ${to}`);
        const threads = plan.threads.map(({ name, to }) => `${name} -> CPU ${to}`);
        about.info({ pins, masks, values, threads }, "tuned");
      }
    }
    for (const { pin, is } of report.contestChanges) {
      const { vf: pciAddress, msiIndex: vector, by, undone, restSeconds } = pin;
      if (is === "over") this.#log.info({ pciAddress, vector }, "a pin is contested no more");
      else
        this.#log.warn(
          { pciAddress, vector, by, undone, restSeconds },
          "a pin is contested, leaving it alone",
        );
    }
    this.#logRestored(report.restored);
    if (report.irqBalance !== undefined)
      this.#log.info(report.irqBalance, "told irqbalance which interrupts to leave alone");
    if (report.rfsTable.isWritten) this.#log.info({}, "resized the table of socket flows");
    for (const [pciAddress, { result }] of report.announced)
      if (result === "announced") this.#log.info({ pciAddress }, "announced the addresses");
    return this.#addProblems(report.problems);
  }

  /** Logs what was put back while passes fail; returns its problems that were not there before. */
  addRestored(restored: PassReport["restored"]): readonly Problem[] {
    this.#logRestored(restored);
    const problems = [...restored.values()].flatMap((outcome) => outcome.problems);
    const stay = [...this.#known.values()];
    return this.#addProblems([...stay, ...problems]);
  }

  #logRestored(restored: PassReport["restored"]): void {
    for (const [pciAddress, { result, writes }] of restored)
      if (result === "restored" || result === "discarded") this.#log.info({ pciAddress, writes }, result);
  }

  #addProblems(problems: readonly Problem[]): readonly Problem[] {
    const now = new Map(problems.map((problem) => [problemKey(problem), problem]));
    const appeared = [...now].filter(([key]) => !this.#known.has(key)).map(([, problem]) => problem);
    for (const { vf, about, code, message } of appeared)
      this.#log.warn({ pciAddress: vf, about, code, detail: message }, "problem");
    for (const [key, { vf, about, code }] of this.#known)
      if (!now.has(key)) this.#log.info({ pciAddress: vf, about, code }, "problem is gone");
    this.#known = now;
    return appeared;
  }
}

function countChanges({ pinned, masks, values, threads }: VfOutcome): number {
  return pinned.length + masks.length + values.length + threads.length;
}
