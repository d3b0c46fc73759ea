// Paths inside another root: links are followed there and never lead out.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { resolveInRoot } from "../../../sriov/root-path.ts";

const root = "/proc/1/root";

function resolve(path: string, links: Readonly<Record<string, string>>): string | undefined {
  return resolveInRoot({ readLink: (at) => links[at.slice(root.length)] }, root, path);
}

test.each([
  ["/run/netns/a", {}, "/run/netns/a"],
  ["/var/run/netns/a", { "/var/run": "/run" }, "/run/netns/a"],
  ["/var/run/netns/a", { "/var/run": "../run" }, "/run/netns/a"],
  ["/var/run/netns/a", { "/var/run": "../../../../run" }, "/run/netns/a"],
  ["//run/./netns//a", {}, "/run/netns/a"],
  ["/../../etc/passwd", {}, "/etc/passwd"],
  ["/a/b", { "/a": "/x", "/x/b": "c", "/x/c": "/run/netns/d" }, "/run/netns/d"],
  [
    "/run/netns/a",
    { "/run/netns/a": "/proc/42/ns/net", "/proc/42/ns/net": "net:[4026532008]" },
    "/proc/42/ns/net",
  ],
  ["/a", { "/a": "/proc/42/../../../../etc/passwd" }, "/etc/passwd"],
])("%s with links %j is %s", (path, links, resolved) => {
  expect(resolve(path, links as Readonly<Record<string, string>>)).toBe(resolved);
});

test("a circle of links is no path", () => {
  expect(resolve("/a/x", { "/a": "/b", "/b": "/a" })).toBeUndefined();
});

test("no path leads out of the root", () => {
  const part = fc.constantFrom("..", ".", "", "a", "b", "proc");
  const path = fc.array(part, { maxLength: 6 }).map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(path, fc.option(path), (text, link) => {
      const resolved = resolve(text, link === null ? {} : { "/a": link });
      expect(resolved === undefined || (resolved.startsWith("/") && !outside(resolved))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

function outside(path: string): boolean {
  let depth = 0;
  return path.split("/").some((part) => {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    return depth < 0;
  });
}
