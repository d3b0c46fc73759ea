// Whether the owner of a VF is alive or gone; everything unknown counts as alive.

import type { Host } from "../host/host.ts";
import type { Attachment } from "./attachment.ts";

/** What there is at the path of the record's network namespace, seen from the host's mount namespace. */
export type NamespaceFact =
  | { readonly seen: "namespace"; readonly cookie: string }
  /** Not there, and the folder is known to be the one where the host's namespaces are mounted. */
  | { readonly seen: "missing" }
  | { readonly seen: "unknown"; readonly reason: string };

/** Where the record's VF is. `gone`: the address is empty or another VF (another inode). */
export type DeviceFact =
  | { readonly seen: "home"; readonly netdev: string }
  | { readonly seen: "away" | "noNetdev" | "gone" }
  | { readonly seen: "unknown"; readonly reason: string };

export interface OwnerFacts {
  readonly netns: string;
  /** Cookie of the namespace when the VF was attached. */
  readonly cookie: string;
  readonly isOfThisBoot: boolean;
  readonly namespace: NamespaceFact;
  readonly device: DeviceFact;
}

export interface OwnerVerdict {
  readonly state: "alive" | "gone";
  /** Why, as a clause: "its namespace /run/netns/x is missing and the VF is back on the host". */
  readonly reason: string;
  /** The namespace is gone while the VF is not back yet: the kernel is still taking it down, wait (at most 10 s) and look again. */
  readonly isDying: boolean;
}

/** The verdict on facts: gone only when nothing speaks for the owner. */
export declare function judgeOwner(facts: OwnerFacts): OwnerVerdict;

/** Reads what there is to know about a record's owner. Never throws for an owner it can't see: that is `unknown`. */
export declare function readOwnerFacts(
  host: Pick<Host, "files" | "paths" | "namespaces" | "clock">,
  record: Attachment,
): OwnerFacts;
