// Waits for the carriers of VFs in pods whose addresses are still to be announced.

import { HostError } from "../host/errors.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { findLinkInside } from "../sriov/vf-locate.ts";
import type { AnnounceHost } from "./announce-pending.ts";
import { openRecordNetns } from "./record-netns.ts";

/**
 * One watch for each VF that waits. A watch keeps its pod's namespace from dying: it ends with the record, and at the latest at
 * the first pass after the namespace lost its name.
 */
export class CarrierWatches implements Disposable {
  readonly #host: AnnounceHost;
  readonly #onCarrier: () => void;
  readonly #watches = new Map<string, Disposable>();

  constructor(host: AnnounceHost, onCarrier: () => void) {
    this.#host = host;
    this.#onCarrier = onCarrier;
  }

  /** Watches the VFs of `records` from now on, and no others. */
  follow(records: readonly Attachment[]): void {
    const wanted = new Map(records.map((record) => [keyOf(record), record]));
    for (const [key, watch] of this.#watches) {
      const record = wanted.get(key);
      if (record !== undefined && this.#isThere(record)) continue;
      watch[Symbol.dispose]();
      this.#watches.delete(key);
    }
    for (const [key, record] of wanted) if (!this.#watches.has(key)) this.#open(key, record);
  }

  [Symbol.dispose](): void {
    this.follow([]);
  }

  #isThere(record: Attachment): boolean {
    try {
      using netns = openRecordNetns(this.#host, record);
      return netns !== undefined;
    } catch (error) {
      if (error instanceof HostError) return false;
      throw error;
    }
  }

  // What can't be opened now is tried again at the next pass.
  #open(key: string, record: Attachment): void {
    try {
      const watch = watchCarrier(this.#host, record, this.#onCarrier);
      if (watch !== undefined) this.#watches.set(key, watch);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
  }
}

// Only the carrier of this VF counts: what else a pod does to its links wakes nobody.
function watchCarrier(host: AnnounceHost, record: Attachment, onCarrier: () => void): Disposable | undefined {
  using netns = openRecordNetns(host, record);
  if (netns === undefined) return undefined;
  using parts = new DisposableStack();
  const inside = parts.use(host.openNetlink(netns));
  const link = findLinkInside(host, inside, netns, record.device.address);
  if (link === undefined) return undefined;
  const { index } = link;
  parts.use(
    inside.subscribe((event) => {
      const isCarrier = event.event === "link" && event.link.index === index && event.link.hasCarrier;
      if (isCarrier || event.event === "overrun") onCarrier();
    }),
  );
  // It may have come before anyone listened.
  if (inside.getLink({ index })?.hasCarrier === true) onCarrier();
  return parts.move();
}

function keyOf({ device, owner }: Attachment): string {
  return `${device.address} ${owner.cookie}`;
}
