// Progress of the lab on a terminal or in a log: one line when a step ends, with its time.
import type { Progress } from "./artifacts.ts";

/** Writes `  12.3 s  title  text` to `write` for each step that ends; notes are written as they come. */
export function createProgress(
  write: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): Progress {
  return {
    step(title) {
      const started = performance.now();
      write(`          ${title} ...`);
      return {
        note: (text) => write(`          ${title}: ${text}`),
        done: (text) =>
          write(`${seconds(performance.now() - started)}  ${title}${text === undefined ? "" : `: ${text}`}`),
      };
    },
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}
