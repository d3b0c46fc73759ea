// What the node under test and its clients tell each other: one JSON object a line over TCP, checked on both sides.

import * as v from "valibot";

import { isTestName, type TestName } from "./test-name.ts";

/** A line is refused beyond it; the longest real one has 64 addresses. */
export const maxLineBytes = 16_384;
export const protocolVersion = 1;

const otherRelease = `expected version ${protocolVersion} of the bench: use one release of virtfn on all machines`;

const unixMs = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100_000));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const reason = v.pipe(v.string(), v.maxLength(2_000));
// Only where the bench's own addresses are: nobody is sent against anybody else.
const address = v.pipe(v.string(), v.regex(/^198\.1[89]\.\d{1,3}\.\d{1,3}$/));
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const targets = v.pipe(v.array(address), v.minLength(1), v.maxLength(64), v.readonly());

const latency = v.strictObject({ meanUs: amount, p50Us: amount, p90Us: amount, p99Us: amount });

/** From the node under test. Times are its own clock's. */
const orderSchema = v.variant("type", [
  v.strictObject({
    type: v.literal("welcome"),
    version: v.literal(protocolVersion, otherRelease),
    number: count,
  }),
  v.strictObject({ type: v.literal("time"), nowMs: unixMs }),
  v.strictObject({ type: v.literal("reach"), targets, port }),
  v.strictObject({
    type: v.literal("load"),
    test: v.custom<TestName>((name) => typeof name === "string" && isTestName(name)),
    targets,
    port,
    processes: v.pipe(count, v.minValue(1), v.maxValue(2_000)),
    startMs: unixMs,
    fromMs: unixMs,
    toMs: unixMs,
  }),
  v.strictObject({ type: v.literal("end") }),
]);

/** From a client: a question for the time, or the answer to an order. */
const answerSchema = v.variant("type", [
  v.strictObject({ type: v.literal("time") }),
  v.strictObject({ type: v.literal("ready") }),
  v.strictObject({ type: v.literal("reached") }),
  v.strictObject({
    type: v.literal("result"),
    sum: v.strictObject({
      rate: amount,
      processes: count,
      late: count,
      stalled: count,
      latency: v.optional(latency),
    }),
    busy: v.pipe(amount, v.maxValue(1.01)),
  }),
  v.strictObject({ type: v.literal("failed"), reason }),
]);

export type Order = v.InferOutput<typeof orderSchema>;
export type Answer = v.InferOutput<typeof answerSchema>;
export type LoadOrder = Extract<Order, { readonly type: "load" }>;

/** A line that is no message. */
export class MessageError extends Error {}

export function parseOrder(line: string): Order {
  return parse(orderSchema, line);
}

export function parseAnswer(line: string): Answer {
  return parse(answerSchema, line);
}

function parse<T extends v.GenericSchema>(schema: T, line: string): v.InferOutput<T> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new MessageError(`expected a line of JSON, got ${JSON.stringify(line.slice(0, 80))}`, { cause });
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new MessageError(`a message is wrong at "${v.getDotPath(issue) ?? ""}": ${issue.message}`);
}
