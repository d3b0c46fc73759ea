// Alive or gone: the verdict for every combination of facts; gone only when nothing speaks for the owner.

import { expect, test } from "vitest";

import { judgeOwner, type DeviceFact, type NamespaceFact, type OwnerFacts } from "../../../sriov/liveness.ts";

const namespaces: Readonly<Record<string, NamespaceFact>> = {
  same: { seen: "namespace", cookie: "4097" },
  other: { seen: "namespace", cookie: "5000" },
  missing: { seen: "missing" },
  unknown: { seen: "unknown", reason: "the host has no folder /run/netns" },
};

const devices: Readonly<Record<string, DeviceFact>> = {
  home: { seen: "home", netdev: "ens1f0v1" },
  away: { seen: "away" },
  noNetdev: { seen: "noNetdev" },
  open: { seen: "noNetdev", doubt: "process 7 has /dev/vfio/12 open" },
  gone: { seen: "gone" },
  unknown: { seen: "unknown", reason: "this process is not in the host's network namespace" },
};

function factsOf(namespace: NamespaceFact, device: DeviceFact): OwnerFacts {
  return { netns: "/run/netns/cni-1", cookie: "4097", isOfThisBoot: true, namespace, device };
}

test("the verdict on every pair of namespace and VF", () => {
  const lines = Object.entries(namespaces).flatMap(([namespace, seen]) =>
    Object.entries(devices).map(([device, found]) => {
      const { state, reason, isDying } = judgeOwner(factsOf(seen, found));
      return `${namespace}, ${device}: ${state}${isDying ? " (dying)" : ""}: ${reason}`;
    }),
  );
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "same, home: alive: its namespace /run/netns/cni-1 exists
    same, away: alive: its namespace /run/netns/cni-1 exists
    same, noNetdev: alive: its namespace /run/netns/cni-1 exists
    same, open: alive: its namespace /run/netns/cni-1 exists
    same, gone: alive: its namespace /run/netns/cni-1 exists
    same, unknown: alive: its namespace /run/netns/cni-1 exists
    other, home: gone: /run/netns/cni-1 is another namespace now and the VF is on the host as ens1f0v1
    other, away: alive (dying): /run/netns/cni-1 is another namespace now, but the VF is not back on the host yet
    other, noNetdev: gone: /run/netns/cni-1 is another namespace now and the VF has no network driver
    other, open: alive: /run/netns/cni-1 is another namespace now, but process 7 has /dev/vfio/12 open
    other, gone: gone: /run/netns/cni-1 is another namespace now and the VF itself is gone
    other, unknown: alive: /run/netns/cni-1 is another namespace now, but where the VF is is unknown: this process is not in the host's network namespace
    missing, home: gone: its namespace /run/netns/cni-1 is missing and the VF is on the host as ens1f0v1
    missing, away: alive (dying): its namespace /run/netns/cni-1 is missing, but the VF is not back on the host yet
    missing, noNetdev: gone: its namespace /run/netns/cni-1 is missing and the VF has no network driver
    missing, open: alive: its namespace /run/netns/cni-1 is missing, but process 7 has /dev/vfio/12 open
    missing, gone: gone: its namespace /run/netns/cni-1 is missing and the VF itself is gone
    missing, unknown: alive: its namespace /run/netns/cni-1 is missing, but where the VF is is unknown: this process is not in the host's network namespace
    unknown, home: alive: whether its namespace /run/netns/cni-1 exists is unknown: the host has no folder /run/netns
    unknown, away: alive: whether its namespace /run/netns/cni-1 exists is unknown: the host has no folder /run/netns
    unknown, noNetdev: alive: whether its namespace /run/netns/cni-1 exists is unknown: the host has no folder /run/netns
    unknown, open: alive: whether its namespace /run/netns/cni-1 exists is unknown: the host has no folder /run/netns
    unknown, gone: alive: whether its namespace /run/netns/cni-1 exists is unknown: the host has no folder /run/netns
    unknown, unknown: alive: whether its namespace /run/netns/cni-1 exists is unknown: the host has no folder /run/netns"
  `);
});

test("after a reboot every owner is gone, whatever is seen under the old names", () => {
  for (const namespace of Object.values(namespaces)) {
    for (const device of Object.values(devices)) {
      expect(judgeOwner({ ...factsOf(namespace, device), isOfThisBoot: false })).toEqual({
        state: "gone",
        reason: "the node was started again since",
        isDying: false,
      });
    }
  }
});
