// The installer's metrics, in a registry of its own.

import { Gauge, Registry } from "prom-client";

export interface InstallMetrics {
  readonly registry: Registry;
  readonly problems: Gauge;
}

/** New metrics, all at their start. */
export function createMetrics(): InstallMetrics {
  const registry = new Registry();
  const problems = new Gauge({
    name: "virtfn_install_cni_problems",
    help: "What keeps the CNI executable or its entry from being in place: 0 when nothing does.",
    registers: [registry],
  });
  return { registry, problems };
}
