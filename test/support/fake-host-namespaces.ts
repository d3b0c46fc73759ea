// The fake node's namespaces: handles by path, and their sysfs.

import * as fs from "node:fs";
import { join } from "node:path";

import { SystemCallError } from "../../host/errors.ts";
import type { Namespaces, NetnsHandle, NetnsSysfs } from "../../host/netns.ts";
import type { FakeKernel, FakeNetns } from "./fake-host-kernel.ts";
import { writeSysfs } from "./fake-host-sysfs.ts";

/** Opens what is mounted below /run/netns, by that path, by /var/run/netns, or below `root`; /proc/1/ns/net is the host's. */
export function createFakeNamespaces(kernel: FakeKernel, root: string): Namespaces {
  const find = (path: string): FakeNetns | undefined => {
    const inNode = path.startsWith(root) ? path.slice(root.length) : path;
    if (/^\/proc\/(?:1|self)\/ns\/net$/.test(inNode)) return kernel.host;
    return kernel.mounted.get(inNode.replace(/^\/var\/run\//, "/run/"));
  };
  const open = (label: string, netns: FakeNetns): NetnsHandle => {
    const fd = kernel.nextFd++;
    kernel.handles.set(fd, netns);
    return { label, fd, cookie: netns.cookie, [Symbol.dispose]: () => void kernel.handles.delete(fd) };
  };
  const inside = (handle: NetnsHandle, call: string): FakeNetns => {
    const netns = kernel.handles.get(handle.fd);
    if (netns === undefined) throw new SystemCallError(call, handle.label, "EBADF");
    return netns;
  };
  return {
    open: (path) => {
      const netns = find(path);
      return netns === undefined ? undefined : open(path, netns);
    },
    own: () => open("own", kernel.host),
    openSysfs: (handle) => openSysfs(inside(handle, "fsmount").sysfs),
    readCounters: (handle) =>
      new Map([...inside(handle, "setns").links.values()].map(({ name, traffic }) => [name, traffic])),
    writeSysctls: (handle, values) => {
      const netns = inside(handle, "setns");
      for (const [path, value] of Object.entries(values)) writeSysctl(netns, path, value);
    },
    sendFrames: (handle, index, frames) => {
      const netns = inside(handle, "setns");
      const link = netns.links.get(index);
      if (link === undefined) throw new SystemCallError("bind", `${index}`, "ENODEV");
      if (!link.isUp) throw new SystemCallError("send", link.name, "ENETDOWN");
      if (!link.hasCarrier) throw new SystemCallError("send", link.name, "ENOBUFS");
      kernel.frames.push(...frames.map((bytes) => ({ netns: netns.label, link: link.name, bytes })));
    },
  };
}

function writeSysctl(netns: FakeNetns, path: string, value: string): void {
  const [, family, name, setting] = /^(ipv[46])\/conf\/([^/]+)\/(\w+)$/.exec(path) ?? [];
  const link = [...netns.links.values()].find((one) => one.name === name);
  if (link === undefined)
    throw new SystemCallError("open", `/proc/sys/net/${path}`, "no such link, and no other sysctl is known");
  link.sysctls.set(`${family}/${setting}`, value);
}

function openSysfs(sysfs: string): NetnsSysfs {
  return {
    readText: (path) => orAbsent(() => fs.readFileSync(join(sysfs, path), "utf8")),
    writeText: (path, text) => {
      if (!fs.existsSync(join(sysfs, path))) throw new SystemCallError("write", path, "ENOENT");
      writeSysfs(join(sysfs, path), text);
    },
    list: (path) => orAbsent(() => fs.readdirSync(join(sysfs, path)).toSorted()),
    [Symbol.dispose]: () => undefined,
  };
}

function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
