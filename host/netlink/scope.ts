// Scopes of addresses and routes by name. Source: rt_scope_t in include/uapi/linux/rtnetlink.h.

export type Scope = "global" | "site" | "link" | "host" | "nowhere";

const numbers: Readonly<Record<Scope, number>> = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 };

/** The number of a scope (RT_SCOPE_*). */
export function encodeScope(scope: Scope): number {
  return numbers[scope];
}

/** A number that an administrator made up counts as global: it reaches further than a link. */
export function decodeScope(number: number): Scope {
  switch (number) {
    case numbers.site:
      return "site";
    case numbers.link:
      return "link";
    case numbers.host:
      return "host";
    case numbers.nowhere:
      return "nowhere";
    default:
      return "global";
  }
}
