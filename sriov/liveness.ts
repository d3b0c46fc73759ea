// Whether the owner of a VF is alive or gone; everything unknown counts as alive.

/** What there is at the path of the record's network namespace, seen from the host's mount namespace. */
export type NamespaceFact =
  | { readonly seen: "namespace"; readonly cookie: string }
  /** Not there, and the folder is known to be the one where the host's namespaces are mounted. */
  | { readonly seen: "missing" }
  | { readonly seen: "unknown"; readonly reason: string };

/** Where the record's VF is. `gone`: the address is empty or another VF (another inode). */
export type DeviceFact =
  | { readonly seen: "home"; readonly netdev: string }
  | { readonly seen: "away" | "gone" }
  /** Where it is tells nothing then; `doubt`: what speaks against a missing namespace, as a clause. */
  | { readonly seen: "noNetdev"; readonly doubt?: string | undefined }
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

/** The verdict on facts: gone only when nothing speaks for the owner. After a reboot no owner of before is alive. */
export function judgeOwner(facts: OwnerFacts): OwnerVerdict {
  if (!facts.isOfThisBoot) return gone("the node was started again since");
  const { namespace, netns } = facts;
  switch (namespace.seen) {
    case "unknown":
      return alive(`whether its namespace ${netns} exists is unknown: ${namespace.reason}`);
    case "missing":
      return judgeWithoutNamespace(`its namespace ${netns} is missing`, facts.device);
    case "namespace":
      if (namespace.cookie === facts.cookie) return alive(`its namespace ${netns} exists`);
      return judgeWithoutNamespace(`${netns} is another namespace now`, facts.device);
  }
}

function judgeWithoutNamespace(what: string, device: DeviceFact): OwnerVerdict {
  switch (device.seen) {
    case "home":
      return gone(`${what} and the VF is on the host as ${device.netdev}`);
    case "noNetdev":
      if (device.doubt !== undefined) return alive(`${what}, but ${device.doubt}`);
      return gone(`${what} and the VF has no network driver`);
    case "gone":
      return gone(`${what} and the VF itself is gone`);
    case "away":
      return { ...alive(`${what}, but the VF is not back on the host yet`), isDying: true };
    case "unknown":
      return alive(`${what}, but where the VF is is unknown: ${device.reason}`);
  }
}

function alive(reason: string): OwnerVerdict {
  return { state: "alive", reason, isDying: false };
}

function gone(reason: string): OwnerVerdict {
  return { state: "gone", reason, isDying: false };
}
