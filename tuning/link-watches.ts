// Waits for the links of VFs in pods that a pass could not finish: handlers come when one goes up, announcements need its carrier.

import { HostError } from "../host/errors.ts";
import type { Link } from "../host/netlink/netlink.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { findLinkInside } from "../sriov/vf-locate.ts";
import type { AnnounceHost } from "./announce-pending.ts";
import type { PassReport } from "./pass.ts";
import { openRecordNetns } from "./record-netns.ts";

/** The VF of a record whose link shall go up, or have a carrier. */
export interface AwaitedLink {
  readonly record: Attachment;
  readonly until: "up" | "carrier";
}

/** The links that the next pass needs to do what this one could not. */
export function listAwaited({ state, plans, announced }: PassReport): readonly AwaitedLink[] {
  const silent = state.vfs.filter(({ vf }) => announced.get(vf.address)?.result === "waiting");
  return [
    ...silent.map(({ record }) => ({ record, until: "carrier" }) as const),
    ...plans
      .filter(({ isWaiting }) => isWaiting)
      .map(({ target }) => ({ record: target.record, until: "up" }) as const),
  ];
}

/**
 * One watch for each VF that waits. A watch keeps its pod's namespace from dying: it ends with the record, and at the latest at
 * the first pass after the namespace lost its name.
 */
export class LinkWatches implements Disposable {
  readonly #host: AnnounceHost;
  readonly #onLink: () => void;
  readonly #watches = new Map<string, Disposable>();

  constructor(host: AnnounceHost, onLink: () => void) {
    this.#host = host;
    this.#onLink = onLink;
  }

  /** Watches these links from now on, and no others. */
  follow(links: readonly AwaitedLink[]): void {
    const wanted = new Map(links.map((link) => [keyOf(link), link]));
    for (const [key, watch] of this.#watches) {
      const link = wanted.get(key);
      if (link !== undefined && this.#isThere(link.record)) continue;
      watch[Symbol.dispose]();
      this.#watches.delete(key);
    }
    for (const [key, link] of wanted) if (!this.#watches.has(key)) this.#open(key, link);
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
  #open(key: string, link: AwaitedLink): void {
    try {
      const watch = watchLink(this.#host, link, this.#onLink);
      if (watch !== undefined) this.#watches.set(key, watch);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
  }
}

// Only what is awaited of this VF's link counts: what else a pod does to its links wakes nobody.
function watchLink(
  host: AnnounceHost,
  { record, until }: AwaitedLink,
  onLink: () => void,
): Disposable | undefined {
  using netns = openRecordNetns(host, record);
  if (netns === undefined) return undefined;
  using parts = new DisposableStack();
  const inside = parts.use(host.openNetlink(netns));
  const link = findLinkInside(host, inside, netns, record.device.address);
  if (link === undefined) return undefined;
  const { index } = link;
  parts.use(
    inside.subscribe((event) => {
      const isAwaited = event.event === "link" && event.link.index === index && isReady(event.link, until);
      if (isAwaited || event.event === "overrun") onLink();
    }),
  );
  // It may have come before anyone listened. One that is up and has no handlers yet is looked at again soon anyway.
  const now = inside.getLink({ index });
  if (until === "carrier" && now !== undefined && isReady(now, until)) onLink();
  return parts.move();
}

function isReady({ isUp, hasCarrier }: Link, until: AwaitedLink["until"]): boolean {
  return until === "up" ? isUp : hasCarrier;
}

function keyOf({ record: { device, owner }, until }: AwaitedLink): string {
  return `${device.address} ${owner.cookie} ${until}`;
}
