// The explanation as text for a terminal.

import { type Colour, paint, wrapText } from "../table.ts";
import type { Explanation, Step, StepState } from "./step.ts";

const lineWidth = 100;
const gap = "  ";
const stateWidth = "stopped".length;
const nameWidth = "interrupts".length;
const colours: Readonly<Record<StepState, Colour>> = { ok: "green", stopped: "red", unknown: "grey" };

/** What a reset of the node does to a pod with VFs; the kubelet's part cannot be changed from here. */
export const afterReset =
  "At a reset of the node the kubelet admits its pods again before any device plugin can run: a pod with VFs ends as Failed " +
  "(UnexpectedAdmissionError). Its controller makes a new one; a bare pod has to be made again by hand. Its network namespace is " +
  "gone with the old boot, and its record and addresses are given back by tuning, or by the first pod that gets a VF.";

/** Numbered steps, and under each that stopped where to look. Lines ended. */
export function formatExplanation({ pod, steps, vfs }: Explanation, hasColours: boolean): string {
  let number = 0;
  const tell = (step: Step): readonly string[] => formatStep(step, (number += 1), hasColours);
  const lines = [`pod ${pod.namespace}/${pod.name}`, "", ...steps.flatMap(tell)];
  for (const vf of vfs) lines.push("", `VF ${vf.address}`, ...vf.steps.flatMap(tell));
  return `${[...lines, "", ...wrapText(afterReset, lineWidth, "")].join("\n")}\n`;
}

function formatStep(
  { name, state, text, hints }: Step,
  number: number,
  hasColours: boolean,
): readonly string[] {
  const shown = hasColours ? paint(state, colours[state]) : state;
  const head = `${String(number).padStart(2)}${gap}${name.padEnd(nameWidth)}${gap}${shown}${" ".repeat(stateWidth - state.length)}${gap}`;
  const left = " ".repeat(2 + nameWidth + stateWidth + 3 * gap.length);
  const texts = [text, ...hints.map((hint) => `look: ${hint}`)];
  const [first = "", ...rest] = texts.flatMap((one) => wrapText(one, lineWidth - left.length));
  return [`${head}${first}`].concat(rest.map((line) => `${left}${line}`));
}
