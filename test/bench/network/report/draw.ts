// Observable Plot without a browser: a plot as the text of an SVG, or of a figure where it has a legend.

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** What every plot of the report has: its own document, one font, room for long names. */
export function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<html><body></body></html>");
  const plot = Plot.plot({
    document,
    className: "plot",
    marginLeft: 150,
    marginRight: 30,
    marginTop: 12,
    marginBottom: 46,
    style: { fontFamily: "system-ui, sans-serif", fontSize: "12px" },
    ...options,
    // Below the ticks, not among them.
    x: { labelOffset: 40, ...options.x },
  });
  return plot.outerHTML;
}
