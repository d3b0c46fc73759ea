// Link and address events of another namespace, on the real kernel.

import { readdirSync } from "node:fs";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import type { Netlink, NetlinkEvent } from "../../../host/netlink/netlink.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";

const host = createHost();
let netns: TestNetns;
let netlink: Netlink;

beforeEach(() => {
  netns = createTestNetns();
  using handle = host.namespaces.open(netns.path);
  netlink = host.openNetlink(handle);
});
// The namespace first: it must go even when the rest was never made.
afterEach(() => {
  netns[Symbol.dispose]();
  netlink[Symbol.dispose]();
});

describe("subscribe", () => {
  it("tells what happens to links and addresses there, also after the caller's handle is closed", async () => {
    const events: NetlinkEvent[] = [];
    using _subscription = netlink.subscribe((event) => events.push(event));
    netns.ip("link add va type veth peer name vb");
    netns.ip("link set va mtu 1400");
    netns.ip("address add 10.9.0.2/24 dev va");
    netns.ip("link del va");
    await vi.waitFor(() => expect(events.filter(({ event }) => event === "linkGone")).toHaveLength(2));
    expect(events).toContainEqual(
      expect.objectContaining({
        event: "link",
        link: expect.objectContaining({ name: "va", mtu: 1400 }) as unknown,
      }),
    );
    expect(events).toContainEqual({ event: "address" });
    expect(events).toContainEqual(expect.objectContaining({ event: "linkGone", name: "va" }));
  });

  it("says overrun when more came than was read, and goes on", async () => {
    netns.ip("link add va type veth peer name vb");
    const overrun = Promise.withResolvers<void>();
    const after = Promise.withResolvers<void>();
    using _subscription = netlink.subscribe((event) => {
      if (event.event === "overrun") overrun.resolve();
      if (event.event === "link" && event.link.mtu === 2000) after.resolve();
    });
    const flood = Array.from({ length: 5000 }, (_, i) => `link set va mtu ${1400 + (i % 50)}`).join("\n");
    // The event loop stands still meanwhile, so that nothing is read.
    Bun.spawnSync(["ip", "-n", netns.name, "-b", "-"], { stdin: Buffer.from(flood) });
    await overrun.promise;
    netns.ip("link set va mtu 2000");
    await expect(after.promise).resolves.toBeUndefined();
  });

  it("tells nothing more once disposed, and leaves no descriptor", async () => {
    const before = countDescriptors();
    const events: NetlinkEvent[] = [];
    const subscription = netlink.subscribe((event) => events.push(event));
    netns.ip("link add va type veth peer name vb");
    await vi.waitFor(() => expect(events.length).toBeGreaterThan(0));
    subscription[Symbol.dispose]();
    const { length } = events;
    netns.ip("link set va mtu 1400");
    await vi.waitFor(() => expect(countDescriptors()).toBeLessThanOrEqual(before));
    expect(events).toHaveLength(length);
  });

  it("does not keep a process alive after it is disposed", async () => {
    const script = `
      import { createHost } from "${import.meta.resolve("../../../host/create-host.ts")}";
      using netlink = createHost().openNetlink();
      const subscription = netlink.subscribe(() => {});
      setTimeout(() => subscription[Symbol.dispose](), 50);
    `;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
    expect(await child.exited).toBe(0);
    expect(await new Response(child.stderr).text()).toBe("");
  });
});

function countDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
