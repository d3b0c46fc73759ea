// report.html: one file without a script and without a request, to be read and to be sent on.

import { type MetricName, metrics, type Results } from "../results.ts";
import { isFixedRate } from "../test-name.ts";
import { drawBars } from "./bars.ts";
import { drawBalance, drawInterrupts, drawTimeline } from "./cpus.ts";
import { drawLatency } from "./latency.ts";
import { escapeHtml } from "./markup.ts";
import { style } from "./style.ts";
import { drawSweep } from "./sweep.ts";
import { tableComparisons, tableIrqs, tableMachine, tableRuns } from "./tables.ts";

/** The whole page. */
export function renderReport(results: Results): string {
  const [test = "TCP_RR"] = results.options.tests;
  const sections = [
    section(
      "Who did better",
      `${legend}${results.options.tests
        .filter((each) => !isFixedRate(each))
        .map((each) => plotsOf(results, each))
        .join("")}${sweepOf(results)}`,
    ),
    section("What may be said", `<p>${gate}</p>${tableComparisons(results)}`),
    section(
      "Where the work went",
      [
        figure(`Share of receive softirqs by CPU, ${test}, all rounds`, drawBalance(results, test)),
        figure(`Time in softirqs by CPU, ${test}, first round`, drawTimeline(results, test)),
        ...results.options.variants.map((variant) =>
          figure(
            `Interrupts by CPU, ${variant}, ${test}, all rounds`,
            drawInterrupts(results, test, variant),
          ),
        ),
      ].join(""),
    ),
    section("Interrupts before and after", `<p>${irqs}</p>${tableIrqs(results)}`),
    section("The machine", tableMachine(results)),
    section("Every run", tableRuns(results)),
  ];
  const title = "Pod networking: kinds of interface compared";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${title} (${escapeHtml(results.label)})</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="label ${results.label === "measured on hardware" ? "real" : "functional"}">${escapeHtml(results.label)}</p>
<p>${describe(results)}</p>
${left(results)}
</header>
${sections.join("\n")}
</body>
</html>
`;
}

const legend =
  "<p>Bars are medians, black whiskers their 95 % intervals, dots the rounds. Grey is the baseline. More is better for rate and packets, less for CPU time, latency and softirqs.</p>";
const gate =
  "A difference may be published when the interval of the ratio excludes 1, there are at least 10 rounds that vary by at most 5 %, every client was less than 80 % busy, no process was missing, no interrupt moved (but under irqbalance), every policy was in force, and the load came from other machines onto real hardware.";
const openLoop =
  "sockperf sends to each namespace at a rate and does not wait for answers, so that what queues is seen: where a line leaves its neighbours upwards, or fewer messages are answered than sent, the interface is full. Vertical lines are 95 % intervals.";
const irqs =
  "CPUs that each of the busiest interrupts might come on, and in brackets the one that it did come on where that is narrower, before and after the runs.";

function describe({ options, startedAt, machine }: Results): string {
  const { namespaces, processes, rounds, seconds, warmUpSeconds, tests, seed, variants } = options;
  const words = [
    `${variants.length} kinds of interface between ${machine["interface"] ?? "a NIC"} and ${namespaces} network namespaces, ${processes} netperf processes to each (${tests.join(", ")}; 64 bytes each way, STREAM 16 KiB one way, UNDER_LOAD by one sockperf to each).`,
    `${rounds} rounds in interleaved order (seed ${seed}); each run counts ${seconds} s that are the same for all processes, after ${warmUpSeconds} s of load.`,
    `Linux ${machine["kernel"] ?? "unknown"}, CPUs: ${machine["CPUs"] ?? "unknown"}. Started ${startedAt}.`,
  ];
  return escapeHtml(words.join(" "));
}

function left({ left: lines }: Results): string {
  if (lines.length === 0) return "";
  return `<p>Not measured:</p><ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>`;
}

function plotsOf(results: Results, test: Results["options"]["tests"][number]): string {
  const names = Object.keys(metrics) as MetricName[];
  const bars = names.map((metric) =>
    figure(`${metrics[metric].title}, ${test}`, drawBars(results, test, metric)),
  );
  const latency = figure(`Latency, ${test}, median of the rounds`, drawLatency(results, test));
  return `<h3>${test}</h3><div class="plots">${bars.join("")}${latency}</div>`;
}

function sweepOf(results: Results): string {
  if (!results.options.tests.some(isFixedRate)) return "";
  const plots = (["p99", "rate", "cpu"] as const).map((metric) =>
    figure(`${metrics[metric].title}, by offered rate`, drawSweep(results, metric)),
  );
  return `<h3>At fixed rates</h3><p>${openLoop}</p><div class="plots">${plots.join("")}</div>`;
}

function figure(caption: string, svg: string | undefined): string {
  if (svg === undefined) return "";
  return `<figure><figcaption>${escapeHtml(caption)}</figcaption>${svg}</figure>`;
}

function section(title: string, body: string): string {
  return `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;
}
