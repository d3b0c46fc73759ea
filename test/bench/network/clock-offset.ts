// Times of the node under test as this machine's: their clocks differ.

import type { ControlLine } from "./control-line.ts";
import { type LoadOrder, parseOrder } from "./message.ts";

const questions = 7;

/** The order with its times by our clock; asks the node under test for the time. */
export async function toOwnClock(
  order: LoadOrder,
  line: ControlLine,
  signal: AbortSignal,
): Promise<LoadOrder> {
  const offsetMs = await askOffset(line, signal);
  const { startMs, fromMs, toMs } = order;
  return { ...order, startMs: startMs - offsetMs, fromMs: fromMs - offsetMs, toMs: toMs - offsetMs };
}

/** The other's clock less ours, by the question that was answered fastest. */
async function askOffset(line: ControlLine, signal: AbortSignal): Promise<number> {
  let best = { tripMs: Infinity, offsetMs: 0 };
  for (let at = 0; at < questions; at += 1) {
    const askedMs = Date.now();
    line.send({ type: "time" });
    const answer = parseOrder(await line.next(10_000, signal));
    if (answer.type !== "time") throw new Error(`expected the time, got ${answer.type}`);
    const tripMs = Date.now() - askedMs;
    if (tripMs < best.tripMs) best = { tripMs, offsetMs: answer.nowMs - (askedMs + tripMs / 2) };
  }
  return best.offsetMs;
}
