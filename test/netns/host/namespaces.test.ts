// Namespaces as handles, and sysfs of another one, on the real kernel.

import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import type { NetnsHandle } from "../../../host/netns.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";

const { namespaces, openNetlink } = createHost();
let netns: TestNetns;

beforeEach(() => {
  netns = createTestNetns();
});
afterEach(() => netns[Symbol.dispose]());

function open(path: string): NetnsHandle {
  const handle = namespaces.open(path);
  if (handle === undefined) throw new Error(`no namespace at ${path}`);
  return handle;
}

describe("open", () => {
  it("gives one cookie for one namespace however it was reached, and another for another", () => {
    using own = namespaces.own();
    using same = open("/proc/self/ns/net");
    using inside = open(netns.path);
    using insideAgain = open(netns.path);
    expect(same.cookie).toBe(own.cookie);
    expect(insideAgain.cookie).toBe(inside.cookie);
    expect(inside.cookie).not.toBe(own.cookie);
    expect(inside.label).toBe(netns.path);
  });

  it("reaches the namespace of a process by its pid", async () => {
    const child = spawn("ip", ["netns", "exec", netns.name, "sh", "-c", "echo ready; read line"]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    using byPid = open(`/proc/${child.pid}/ns/net`);
    using byName = open(netns.path);
    child.stdin.end();
    expect(byPid.cookie).toBe(byName.cookie);
  });

  it("gives undefined for what is missing, what is no namespace, and one of another kind", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "virtfn-netns-"));
    try {
      fs.writeFileSync(join(folder, "leftover"), "");
      expect(namespaces.open(join(folder, "none"))).toBeUndefined();
      expect(namespaces.open(join(folder, "leftover"))).toBeUndefined();
      expect(namespaces.open("/proc/self/ns/mnt")).toBeUndefined();
      expect(namespaces.open("/proc/999999999/ns/net")).toBeUndefined();
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("leaves the process where it was, and no descriptor behind", () => {
    const rounds = 30;
    const home = fs.readlinkSync("/proc/thread-self/ns/net");
    const before = fs.readdirSync("/proc/self/fd").length;
    for (let round = 0; round < rounds; round++) {
      using handle = open(netns.path);
      using netlink = openNetlink(handle);
      using sysfs = namespaces.openSysfs(handle);
      expect(netlink.listLinks().map(({ name }) => name)).toEqual(["lo"]);
      expect(sysfs.list("class/net")).toEqual(["lo"]);
      expect(namespaces.open("/proc/self/ns/mnt")).toBeUndefined();
    }
    expect(fs.readlinkSync("/proc/thread-self/ns/net")).toBe(home);
    // The test's own tools open and close a few files meanwhile.
    expect(fs.readdirSync("/proc/self/fd").length).toBeLessThan(before + rounds);
  });

  it("closes a netlink handle once, however often it is disposed", () => {
    using handle = open(netns.path);
    const netlink = openNetlink(handle);
    netlink[Symbol.dispose]();
    using other = open(netns.path);
    expect(() => netlink[Symbol.dispose]()).not.toThrow();
    using again = openNetlink(other);
    expect(again.listLinks().map(({ name }) => name)).toEqual(["lo"]);
  });

  it("keeps a namespace reachable after its name is gone, with the same cookie", () => {
    using handle = open(netns.path);
    netns[Symbol.dispose]();
    expect(namespaces.open(netns.path)).toBeUndefined();
    using netlink = openNetlink(handle);
    expect(netlink.getLink({ name: "lo" })?.index).toBe(1);
  });
});

describe("openSysfs", () => {
  it("reads and writes queues of a link inside, which are not those of here", () => {
    netns.ip("link add va type veth peer name vb");
    using handle = open(netns.path);
    using sysfs = namespaces.openSysfs(handle);
    const mask = "class/net/va/queues/rx-0/rps_cpus";
    expect(sysfs.list("class/net")).toEqual(["lo", "va", "vb"]);
    expect(Number.parseInt(sysfs.readText(mask) ?? "", 16)).toBe(0);
    sysfs.writeText(mask, "1");
    expect(Number.parseInt(sysfs.readText(mask) ?? "", 16)).toBe(1);
    const shown = Bun.spawnSync(["ip", "netns", "exec", netns.name, "cat", `/sys/${mask}`]).stdout.toString();
    expect(shown).toBe(sysfs.readText(mask) ?? "");
    expect(fs.existsSync(`/sys/${mask}`)).toBe(false);
    expect(() => sysfs.writeText(mask, "zz")).toThrow(/^write\(.*rps_cpus, "zz"\) failed: EINVAL$/);
    expect(sysfs.readText("class/net/none/mtu")).toBeUndefined();
  });

  it("writes also where a container had sysfs mounted read-only first, whose mount stays so", async () => {
    netns.ip("link add va type veth peer name vb");
    const script = `mount -t sysfs -o ro none /sys && echo mounted && read _; echo 1 >/sys/class/net/va/mtu`;
    const container = Bun.spawn(
      ["nsenter", `--net=${netns.path}`, "unshare", "--mount", "sh", "-c", script],
      {
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const { value } = await container.stdout.getReader().read();
    expect(Buffer.from(value ?? []).toString()).toBe("mounted\n");
    using handle = open(netns.path);
    using sysfs = namespaces.openSysfs(handle);
    const mask = "class/net/va/queues/rx-0/rps_cpus";
    sysfs.writeText(mask, "1");
    expect(Number.parseInt(sysfs.readText(mask) ?? "", 16)).toBe(1);
    await container.stdin.end();
    expect(await new Response(container.stderr).text()).toContain("Read-only file system");
    expect(await container.exited).not.toBe(0);
  });

  it("refuses to be used after it was closed", () => {
    using handle = open(netns.path);
    const sysfs = namespaces.openSysfs(handle);
    sysfs[Symbol.dispose]();
    sysfs[Symbol.dispose]();
    expect(() => sysfs.list("class/net")).toThrow(/EBADF$/);
  });
});
