// `npm run -s bench:metrics -- --help`: one scrape of /metrics.

import { readBenchFlags } from "../bench-flags.ts";
import { runInterruptible } from "../interruptible.ts";
import { machine, reportFigures } from "../report-figures.ts";
import { measurePfSide, type ScrapeFigures } from "./pf-side.ts";
import { measurePodSide } from "./pod-side.ts";

/** What the product promises. */
const goals = { vfs: 256, scrapeMs: 50 } as const;

const values = readBenchFlags(
  "metrics",
  "one scrape of /metrics, of the device plugin and of tuning; needs root",
  {
    vfs: { type: "string", value: "N,N", default: "64,256", help: "VFs in pods, in turn" },
    rounds: { type: "string", value: "N", default: "30", help: "scrapes of each" },
  },
);
await runInterruptible(async (signal) => {
  const scrapes = { rounds: Number(values.rounds), signal };
  const measured: {
    readonly vfs: number;
    readonly pfSide: ScrapeFigures;
    readonly podSide: ScrapeFigures;
  }[] = [];
  for (const vfs of values.vfs.split(",").map(Number)) {
    const figures = {
      vfs,
      pfSide: await measurePfSide(vfs, scrapes),
      podSide: await measurePodSide(vfs, scrapes),
    };
    measured.push(figures);
    const { pfSide, podSide } = figures;
    console.error(
      `${vfs} VFs: deviceplugin ${pfSide.scrapeMs.median} ms (${pfSide.kib} KiB), ` +
        `tuning ${podSide.scrapeMs.median} ms (${podSide.kib} KiB)`,
    );
  }
  console.error(`goal at ${goals.vfs} VFs: ${goals.scrapeMs} ms`);
  const figures = {
    what: "one scrape of /metrics: the PF's side with the kernel's answers made up, the pod's side in as many network namespaces",
    machine,
    goals,
    measured,
  };
  await reportFigures("metrics", figures, values);
});
