// Tells the API server how the node is, whenever that changes and it can be reached. Nothing waits for it, and nothing fails with it.
import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import { Wakeup } from "../host/wakeup.ts";
import type { TuningProblem } from "../sriov/tuning-problems.ts";
import type { UnrecordedDevice } from "../sriov/unrecorded-pods.ts";
import type { ClusterClient } from "./cluster-client.ts";
import {
  type ClusterEvent,
  listEvents,
  listShortfalls,
  listUnhealthy,
  nothingTold,
  type Told,
} from "./cluster-events.ts";
import { type Labels, listLabels, planLabels } from "./cluster-labels.ts";
import { ClusterError } from "./errors.ts";
import type { Scan } from "./scanner.ts";

/** Between attempts while it cannot be told; and how often labels are looked at when nothing changes. */
const retryMs = { first: 5_000, most: 300_000 };
const lookMs = 600_000;

/** Of more, the oldest are forgotten: they are in the log. */
const mostEvents = 50;

/** Labels and Events of the node, from the first look to the end of the device plugin. */
export class ClusterReporter {
  readonly #host: Pick<Host, "clock">;
  readonly #open: (signal: AbortSignal) => Promise<ClusterClient>;
  readonly #log: Log;
  readonly #wakeup: Wakeup;
  #labels: Labels | undefined;
  #told: Told = nothingTold;
  #events: readonly ClusterEvent[] = [];
  /** Why labels were refused last; empty while they are not. */
  #labelRefusal = "";

  /** `open` is called at the first use; what it opens ends its calls at the signal. */
  constructor(host: Pick<Host, "clock">, open: (signal: AbortSignal) => Promise<ClusterClient>, log: Log) {
    this.#host = host;
    this.#open = open;
    this.#log = log;
    this.#wakeup = new Wakeup(host);
  }

  /** Notes what a look saw. */
  follow(scan: Pick<Scan, "resources" | "pfs">): void {
    const labels = listLabels(scan);
    // Every look comes here: only news is worth a question to the API server.
    if (JSON.stringify(labels) !== JSON.stringify(this.#labels)) this.#wakeup.wake();
    this.#labels = labels;
    this.#note({ unhealthy: listUnhealthy(scan) });
  }

  /** Notes what is wrong with the configuration, or that nothing is. */
  noteConfig(configProblem: string | undefined): void {
    this.#note({ configProblem });
  }

  /** Notes which devices have a pod and no record. */
  noteUnrecorded(unrecorded: readonly UnrecordedDevice[]): void {
    this.#note({ unrecorded });
  }

  /** Notes what tuning could not do in its last look. */
  noteTuning(problems: readonly TuningProblem[]): void {
    this.#note({ tuning: listShortfalls(problems) });
  }

  /** Tells until `signal` is aborted. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    let client: ClusterClient | undefined;
    let isAway = false;
    let waitMs = 0;
    while (!signal.aborted) {
      let isAllTold = false;
      try {
        client ??= await this.#open(signal);
        isAllTold = await this.#tell(client, signal);
        if (isAway) this.#log.info("the API server is told again");
        isAway = false;
      } catch (error) {
        if (signal.aborted) return;
        if (!isAway) this.#log.warn({ error }, "cannot tell the API server about the node");
        isAway = true;
      }
      waitMs = isAllTold ? 0 : Math.min(retryMs.most, Math.max(retryMs.first, 2 * waitMs));
      await this.#pause(waitMs, signal);
    }
  }

  #note(change: Partial<Told>): void {
    const told = { ...this.#told, ...change };
    const events = listEvents(this.#told, told);
    this.#told = told;
    if (events.length === 0) return;
    this.#events = [...this.#events, ...events].slice(-mostEvents);
    this.#wakeup.wake();
  }

  /** Whether no Event waits any more: who may tell none now may be let to later, and is not asked for each of them. */
  async #tell(client: ClusterClient, signal: AbortSignal): Promise<boolean> {
    await this.#tellLabels(client, signal);
    for (let event = this.#events[0]; event !== undefined && !signal.aborted; event = this.#events[0]) {
      const isAllowed = await this.#tellEvent(client, event);
      this.#events = this.#events.filter((other) => other !== event);
      if (!isAllowed) break;
    }
    return this.#events.length === 0;
  }

  /** Labels that are refused for good keep no Event back; at the next look they are tried again. */
  async #tellLabels(client: ClusterClient, signal: AbortSignal): Promise<void> {
    if (this.#labels === undefined) return;
    try {
      const changes = planLabels(await client.readLabels(), this.#labels);
      if (Object.keys(changes).length > 0 && !signal.aborted) await client.patchLabels(changes);
      this.#labelRefusal = "";
    } catch (error) {
      if (!isFinal(error)) throw error;
      if (error.message !== this.#labelRefusal)
        this.#log.warn({ error }, "the API server refuses the node's labels");
      this.#labelRefusal = error.message;
    }
  }

  /** One that is refused for good is dropped, or it would keep those behind it back for ever. False when it may not be told (403). */
  async #tellEvent(client: ClusterClient, event: ClusterEvent): Promise<boolean> {
    try {
      await client.createEvent(event);
    } catch (error) {
      if (!isFinal(error)) throw error;
      this.#log.warn({ error, event }, "the API server refuses an Event, which is dropped");
      return error.status !== 403;
    }
    return true;
  }

  /** After a failure news does not shorten the wait: an API server that is down is left alone. */
  async #pause(waitMs: number, signal: AbortSignal): Promise<void> {
    if (waitMs === 0) return this.#wakeup.wait(lookMs, signal);
    try {
      await this.#host.clock.sleep(waitMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function isFinal(error: unknown): error is ClusterError {
  return error instanceof ClusterError && error.isFinal;
}
