// A whole node as a value: the `Host` that the programs get in unit tests, with its state behind it to look at.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { createFiles, type Files } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { createPaths } from "../../host/paths.ts";
import { createFakeClock, type FakeClock } from "./fake-host-clock.ts";
import { createFakeDevlink } from "./fake-devlink.ts";
import { openFakeEthtool } from "./fake-host-ethtool.ts";
import { createFakeIpam, type FakeIpam } from "./fake-host-ipam.ts";
import {
  addLink,
  createFakeKernel,
  createNetns,
  type FakeDriver,
  type FakeKernel,
} from "./fake-host-kernel.ts";
import { createFakeLocks, type FakeLocks } from "./fake-host-locks.ts";
import { createFakeThreads, openFakeNapis } from "./fake-host-napi.ts";
import { createFakeNamespaces } from "./fake-host-namespaces.ts";
import { openFakeNetlink } from "./fake-host-netlink.ts";
import { writePciFile } from "./fake-host-drivers.ts";
import { writeCheckpoint } from "./fake-host-kubelet.ts";
import { addFakePf, vfAddress } from "./fake-host-nic.ts";
import { createFakeSockets, type FakeSockets } from "./fake-host-sockets.ts";
import { destroyNetns } from "./fake-host-rules.ts";
import { addDriver, writeSysfs } from "./fake-host-sysfs.ts";
import { formatKernel } from "./fake-host-text.ts";
import { makeRoute } from "./network-view.ts";

export interface FakePf {
  readonly name: string;
  /** "0000:3b:00.0"; its VFs are 0000:3b:02.0, .1, ... */
  readonly address: string;
  readonly vfs: number;
  readonly driver?: FakeDriver;
  readonly numaNode?: number;
  /** VFs that vfio-pci has from the start. */
  readonly userspace?: readonly number[];
  readonly isDown?: boolean;
}

export interface FakeHost extends Disposable {
  readonly host: Host;
  readonly kernel: FakeKernel;
  readonly clock: FakeClock;
  readonly ipam: FakeIpam;
  readonly locks: FakeLocks;
  readonly sockets: FakeSockets;
  /** Folder that stands for / of the node. */
  readonly root: string;
  /** Makes and mounts a namespace; returns its path, /run/netns/NAME. */
  addNetns(name: string): string;
  /** Unmounts it and brings its NICs back to the host, after `returnAfterMs` of fake time. */
  removeNetns(name: string, returnAfterMs?: number): void;
  /** Writes the kubelet's checkpoint: this pod has these devices, by container, and all VFs of the node are registered. */
  allocate(uid: string, containers: Readonly<Record<string, readonly string[]>>, resource?: string): void;
  /** What the kernel does when a process dies: its locks and descriptors are released. */
  endProcess(): void;
  /** Everything that the programs may change, as text. */
  toText(): string;
}

const defaultPfs: readonly FakePf[] = [{ name: "ens1f0", address: "0000:3b:00.0", vfs: 4 }];

/** A node with these PFs (one with four VFs by default), eth0 with the default route, host-local and static below /opt/cni/bin. */
export function createFakeHost(pfs: readonly FakePf[] = defaultPfs): FakeHost {
  const root = makeRoot();
  const paths = createPaths(root);
  const kernel = createFakeKernel(paths.sys);
  const clock = createFakeClock();
  const ipam = createFakeIpam();
  const locks = createFakeLocks(paths.locks, clock);
  const sockets = createFakeSockets();
  makeTree(root);
  const eth0 = addLink(kernel, { name: "eth0", mac: "02:00:00:00:ff:01", isUp: true, hasCarrier: true });
  addDefaultRoute(kernel, eth0.index);
  addDriver(paths.sys, "vfio-pci");
  for (const [number, pf] of pfs.entries()) addFakePf(kernel, pf, number);

  const host: Host = {
    paths,
    files: createFakeFiles(kernel, clock),
    locks: locks.locks,
    namespaces: createFakeNamespaces(kernel, root),
    openNetlink: (netns) => {
      const target = netns === undefined ? kernel.host : kernel.handles.get(netns.fd);
      if (target === undefined) throw new Error(`openNetlink: the handle ${netns?.label ?? ""} was closed`);
      return openFakeNetlink(kernel, target, clock);
    },
    openEthtool: (netns) => {
      const target = netns === undefined ? kernel.host : kernel.handles.get(netns.fd);
      if (target === undefined) throw new Error(`openEthtool: the handle ${netns?.label ?? ""} was closed`);
      return openFakeEthtool(target);
    },
    openNapis: (netns) => {
      const target = netns === undefined ? kernel.host : kernel.handles.get(netns.fd);
      if (target === undefined) throw new Error(`openNapis: the handle ${netns?.label ?? ""} was closed`);
      return openFakeNapis(target, paths.proc);
    },
    threads: createFakeThreads(paths.proc),
    trafficPrograms: {
      removeAll: (index) => {
        const link = kernel.host.links.get(index);
        if (link !== undefined) link.hasTcx = false;
      },
      removeHeldXdp: (index, program) => {
        const link = kernel.host.links.get(index);
        if (link !== undefined)
          link.xdp = link.xdp.filter((held) => held.program !== program || !held.isHeld);
      },
    },
    openDevlink: () => createFakeDevlink(new Map()),
    exec: ipam.exec,
    localSockets: sockets.localSockets,
    clock,
  };
  return {
    host,
    kernel,
    clock,
    ipam,
    locks,
    sockets,
    root,
    addNetns: (name) => addNetns(kernel, root, name),
    removeNetns: (name, returnAfterMs = 0) => {
      const path = `/run/netns/${name}`;
      const netns = kernel.mounted.get(path);
      if (netns === undefined) throw new Error(`there is no ${path}`);
      kernel.mounted.delete(path);
      fs.rmSync(join(root, path));
      if (returnAfterMs === 0) destroyNetns(kernel, netns);
      else clock.after(returnAfterMs, () => destroyNetns(kernel, netns));
    },
    allocate: (uid, containers, resource = "sriov/vf") => {
      const registered = pfs.flatMap((pf) =>
        Array.from({ length: pf.vfs }, (_, vf) => vfAddress(pf.address, vf)),
      );
      writeCheckpoint(paths.kubelet.checkpoint, { uid, containers, resource, registered });
    },
    endProcess: () => {
      locks.releaseAll();
      kernel.handles.clear();
      for (const netns of [kernel.host, ...kernel.mounted.values()]) netns.listeners.clear();
    },
    toText: () =>
      [formatKernel(kernel), ...formatRecords(root), ...formatLeases(ipam), ...formatDeviceInfo(root)].join(
        "\n",
      ),
    [Symbol.dispose]: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

// In memory where there is a memory file system: fault tests make thousands of nodes.
function makeRoot(): string {
  return fs.mkdtempSync(join(fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "virtfn-fake-"));
}

function createFakeFiles(kernel: FakeKernel, clock: FakeClock): Files {
  const files = createFiles();
  const { sysfs } = kernel.host;
  const writeText = (path: string, text: string): void => {
    if (!path.startsWith(`${sysfs}/`) || files.stat(path) === undefined) files.writeText(path, text);
    else if (!writePciFile(kernel, clock, path.slice(sysfs.length + 1), text)) writeSysfs(path, text);
  };
  return { ...files, writeText };
}

function makeTree(root: string): void {
  for (const folder of [
    "run/netns",
    "run/udev/data",
    "var",
    "opt/cni/bin",
    "proc/1",
    "proc/self",
    "sys/class/net",
  ])
    fs.mkdirSync(join(root, folder), { recursive: true });
  fs.writeFileSync(join(root, "run/udev/control"), "");
  fs.symlinkSync("../run", join(root, "var/run"));
  const mounts =
    "25 1 0:22 / /run rw shared:5 - tmpfs tmpfs rw\n26 25 0:22 /netns /run/netns rw shared:5 - tmpfs tmpfs rw\n";
  for (const process of ["1", "self"]) {
    fs.writeFileSync(join(root, "proc", process, "mountinfo"), mounts);
    fs.mkdirSync(join(root, "proc", process, "ns"));
    fs.symlinkSync("mnt:[4026531841]", join(root, "proc", process, "ns/mnt"));
    fs.symlinkSync("pid:[4026531836]", join(root, "proc", process, "ns/pid"));
  }
  for (const delegate of ["host-local", "static"])
    fs.writeFileSync(join(root, "opt/cni/bin", delegate), "", { mode: 0o755 });
}

function addNetns(kernel: FakeKernel, root: string, name: string): string {
  const path = `/run/netns/${name}`;
  const sysfs = join(root, "netns", String(kernel.nextCookie), "sys");
  fs.mkdirSync(join(sysfs, "class/net"), { recursive: true });
  fs.writeFileSync(join(root, path), "");
  kernel.mounted.set(path, createNetns(path, kernel.nextCookie++, sysfs));
  return path;
}

function addDefaultRoute(kernel: FakeKernel, index: number): void {
  kernel.host.routes.push({ ...makeRoute(index, "0.0.0.0/0"), gateway: "198.51.100.1" });
}

function formatRecords(root: string): readonly string[] {
  const folders = ["var/lib/virtfn", "run/virtfn/userspace", "run/virtfn/names"].map((folder) =>
    join(root, folder),
  );
  const files = folders
    .filter((folder) => fs.existsSync(folder))
    .flatMap((folder) => fs.readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((file) => file.isFile());
  return files.map((file) => `${basename(file.parentPath)} ${file.name}`).toSorted();
}

function formatDeviceInfo(root: string): readonly string[] {
  const folder = join(root, "run/k8s.cni.cncf.io/devinfo/cni");
  return fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => `device-info ${name}`) : [];
}

function formatLeases(ipam: FakeIpam): readonly string[] {
  return [...ipam.leases].map(([key, address]) => `lease ${key} ${address}`).toSorted();
}
