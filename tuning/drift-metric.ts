// How often pins of each VF in a pod were found undone: told when someone asks, as what went through it is.

import { Counter, type Registry } from "prom-client";

import type { Host } from "../host/host.ts";
import { type Attachment, ownerToken } from "../sriov/attachment.ts";
import { labelVf, vfLabels } from "../sriov/vf-metrics.ts";
import type { PassReport } from "./pass.ts";
import { createPfNamer } from "./vf-metrics.ts";

interface Drift {
  readonly record: Attachment;
  readonly resource: string | undefined;
  readonly undone: number;
}

/** Adds the metric to `registry`; gives the way to tell it what a pass found. A VF's count goes with its pod. */
export function addDrift(
  host: Pick<Host, "files" | "paths">,
  registry: Registry,
): (report: Pick<PassReport, "state" | "undone">) => void {
  let drifts: ReadonlyMap<string, Drift> = new Map();
  void new Counter({
    name: "virtfn_tuning_drift_total",
    help: "Pins of the VF found undone by someone else, since its pod got it.",
    labelNames: [...vfLabels],
    registers: [registry],
    collect() {
      this.reset();
      const namePf = createPfNamer(host);
      for (const { record, resource, undone } of drifts.values()) {
        const { pf, vf } = record.device;
        this.inc(labelVf(namePf(pf), vf, resource, record.owner.pod), undone);
      }
    },
  });
  return ({ state, undone }) => {
    const before = drifts;
    drifts = new Map(
      state.vfs.map(({ record, vf: { address } }) => {
        const key = `${address} ${ownerToken(record.owner)}`;
        const count = (before.get(key)?.undone ?? 0) + (undone.get(address)?.length ?? 0);
        return [key, { record, resource: state.facts.resourceOf.get(address), undone: count }];
      }),
    );
  };
}
