// `virtfn status`: the node's PFs and VFs as they are now, once or again and again. Changes nothing.

import type { Host } from "../../host/host.ts";
import { Wakeup } from "../../host/wakeup.ts";
import { viewNode } from "../node/device-view.ts";
import { type Eyes, readNodeFacts } from "../node/facts.ts";
import { formatStatus } from "./format.ts";
import { parseStatusOptions, type StatusOptions, usage } from "./options.ts";

export interface StatusOutput {
  readonly print: (text: string) => void;
  /** Colours, and a screen that is drawn anew by `--watch`. */
  readonly isTerminal: boolean;
  /** Ends `--watch`. */
  readonly signal: AbortSignal;
}

/** Records and what is offered have no event that an unprivileged process may wait for everywhere. */
const pollMs = 2_000;
const clearScreen = "\u001B[H\u001B[2J";

/** Runs the command and gives its exit code. Throws ERR_USAGE. */
export async function runStatus(host: Eyes, argv: readonly string[], output: StatusOutput): Promise<number> {
  const options = parseStatusOptions(argv);
  if (options.help) output.print(usage);
  else if (options.watch) await watch(host, options, output);
  else output.print(await look(host, options, output));
  return 0;
}

async function look(
  host: Eyes,
  { output, watch }: StatusOptions,
  { isTerminal }: Pick<StatusOutput, "isTerminal">,
): Promise<string> {
  // Rates differ at each look: what is shown again when it changed has none.
  const view = viewNode(await readNodeFacts(host, { isMeasured: output !== "table" && !watch }));
  if (output === "json") return `${JSON.stringify(view, undefined, watch ? undefined : 2)}\n`;
  return formatStatus(view, { isWide: output === "wide", hasColours: isTerminal });
}

async function watch(host: Eyes, options: StatusOptions, output: StatusOutput): Promise<void> {
  const wakeup = new Wakeup(host);
  using _events = openLinkEvents(host, () => wakeup.wake());
  let shown: string | undefined;
  while (!output.signal.aborted) {
    const text = await look(host, options, output);
    if (text !== shown) output.print(frame(text, options, output.isTerminal, shown === undefined));
    shown = text;
    await wakeup.wait(pollMs, output.signal);
  }
}

function openLinkEvents(host: Pick<Host, "openNetlink">, onEvent: () => void): Disposable {
  const stack = new DisposableStack();
  const netlink = stack.use(host.openNetlink());
  stack.use(netlink.subscribe(onEvent));
  return stack;
}

function frame(text: string, { output }: StatusOptions, isTerminal: boolean, isFirst: boolean): string {
  if (output === "json" || (isFirst && !isTerminal)) return text;
  return isTerminal ? `${clearScreen}${text}` : `\n${text}`;
}
