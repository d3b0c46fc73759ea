// A fake node with CPUs and interrupts, on which VFs are attached to pods and given back without a CNI.

import * as fs from "node:fs";
import { join } from "node:path";

import type { Sized } from "../../host/netlink/ethtool.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import { removeAttachment, writeAttachment } from "../../sriov/attachment-store.ts";
import { formatCpuList } from "../../sriov/cpu-list.ts";
import { parseCpuMask } from "../../sriov/cpu-mask.ts";
import { readVf } from "../../sriov/inventory.ts";
import { parsePciAddress, type PciAddress } from "../../sriov/pci-address.ts";
import { maskFile } from "../../tuning/vf-queues.ts";
import { makeAttachment } from "./attached-vf.ts";
import { createFakeHost, type FakeHost } from "./fake-host.ts";
import { vfAddress } from "./fake-host-nic.ts";
import { planCpus } from "./fixture-cpus.ts";
import { writeFolder } from "./fixture-folder.ts";
import { asKernelFiles, readIrq, writeIrq } from "./irq-tree.ts";

const pf = "0000:3b:00.0";

/** What the kernel does by itself: the CPUs of the VF's node. */
const defaultAffinity = "0-3";

const socketFlows = "proc/sys/net/core/rps_sock_flow_entries";

export interface TuningNode extends Disposable {
  readonly fake: FakeHost;
  readonly host: FakeHost["host"];
  address(vf: number): PciAddress;
  /** IRQ numbers of a VF: tx, rx, mailbox. */
  irqs(vf: number): readonly number[];
  /** Gives the VF to a pod: netdev moved and up, interrupts registered, record written last. */
  attach(vf: number, pod: string, change?: (record: Attachment) => Attachment): Attachment;
  /** Registers the VF's interrupts under new default affinities, as a first open does. */
  open(vf: number, name: string, affinity?: string): void;
  /** Frees the handlers of the VF's interrupts, as a close does; their affinities stay. */
  close(vf: number, name: string): void;
  /** Brings the VF home: netdev moved back, record removed. Its interrupts keep their affinity, as the kernel has it. */
  detach(vf: number, pod: string): void;
  /** Affinity of tx, rx and mailbox, as "1 2 0-3". */
  affinities(vf: number): string;
  /** Somebody writes the affinity of one of them. */
  setAffinity(vf: number, msiIndex: number, cpuList: string): void;
  /** These CPUs are online from now on. */
  setOnline(cpuList: string): void;
  /** CPUs in rps_cpus of the VF's first receive queue inside the pod, or in the mask of another queue, as a list; "" is off. */
  mask(pod: string, queue?: string): string;
  /** A value of the VF's netdev inside the pod, by its path below the netdev's folder. */
  value(pod: string, path: string): string;
  /** Somebody sets it. */
  setValue(pod: string, path: string, text: string): void;
  /** Takes the file away, as on a kernel or with a driver that does not have it. */
  removeValue(pod: string, path: string): void;
  /** Entries of the node's table of socket flows; with `entries`: as somebody sets it. */
  socketFlows(entries?: number): number;
  /** Combined channels of the VF in the pod. */
  channels(pod: string): number | undefined;
  /** Somebody changes them, or how many the driver has. */
  setChannels(pod: string, value: number): void;
  limitChannels(pod: string, max: number): void;
  /** The VF in the pod has a second queue each way from now on. */
  addQueues(pod: string): void;
}

/** One PF with `vfs` VFs on node 0 of two nodes with four CPUs each. VFs of ice serve two queues, by their handlers' names. */
export function createTuningNode(vfs = 3, driver: "igb" | "ice" = "igb"): TuningNode {
  const fake = createFakeHost([{ name: "ens1f0", address: pf, vfs, driver }]);
  const { kernel, root } = fake;
  const host = { ...fake.host, files: asKernelFiles(fake.host.files) };
  writeFolder(root, { [socketFlows]: "0" });
  writeFolder(root, planCpus({ nodes: 2, coresPerNode: 4, threads: 1, cachesPerNode: 1 }));
  const address = (vf: number): PciAddress => parsePciAddress(vfAddress(pf, vf));
  const irqs = (vf: number): readonly number[] => readVf(host, address(vf))?.irqs ?? [];
  const sysfsOf = (pod: string): string => kernel.mounted.get(`/run/netns/${pod}`)?.sysfs ?? "";

  const sizesOf = (pod: string): Record<string, Sized> => {
    const links = [...(kernel.mounted.get(`/run/netns/${pod}`)?.links.values() ?? [])];
    return links.find(({ name }) => name === "net1")?.sizes.channels ?? {};
  };

  function open(vf: number, name: string, affinity = defaultAffinity): void {
    const handlers = driver === "igb" ? ["tx-0", "rx-0"] : ["TxRx-0", "TxRx-1"];
    const actions = [...handlers.map((handler) => `${name}-${handler}`), name];
    for (const [at, irq] of irqs(vf).entries())
      if (readIrq(root, irq) === "none") writeIrq(root, irq, actions[at] ?? "", affinity);
  }
  return {
    fake,
    host,
    address,
    irqs,
    open,
    attach(vf, pod, change = (record) => record) {
      const netns = fake.addNetns(pod);
      moveLink(fake, undefined, netns, `ens1f0v${vf}`, "net1");
      open(vf, "net1");
      const cookie = kernel.mounted.get(netns)?.cookie ?? 0n;
      const owned = { address: address(vf), pod, netns: `/var${netns}`, cookie };
      const record = change(makeAttachment(host, owned));
      writeAttachment(host, record);
      return record;
    },
    close(vf, name) {
      for (const irq of irqs(vf))
        for (const entry of fs.readdirSync(join(root, `proc/irq/${irq}`)))
          if (entry.startsWith(name)) fs.rmdirSync(join(root, `proc/irq/${irq}`, entry));
    },
    detach(vf, pod) {
      moveLink(fake, `/run/netns/${pod}`, "/proc/1/ns/net", "net1", `ens1f0v${vf}`);
      removeAttachment(host, address(vf));
      fake.removeNetns(pod);
    },
    affinities: (vf) =>
      irqs(vf)
        .map((irq) => readIrq(root, irq))
        .join(" "),
    setAffinity: (vf, msiIndex, cpuList) => {
      const path = `proc/irq/${irqs(vf)[msiIndex]}/smp_affinity_list`;
      fs.writeFileSync(join(root, path), `${cpuList}\n`);
    },
    channels: (pod) => sizesOf(pod)["combined"]?.value,
    setChannels: (pod, value) => void (sizesOf(pod)["combined"] = { value, max: 16 }),
    limitChannels: (pod, max) => void (sizesOf(pod)["combined"] = { value: 4, max }),
    setOnline: (cpuList) => writeFolder(root, { "sys/devices/system/cpu/online": cpuList }),
    addQueues: (pod) => {
      const queues = "class/net/net1/queues";
      writeFolder(sysfsOf(pod), { [`${queues}/rx-1/rps_cpus`]: "00", [`${queues}/tx-1/xps_cpus`]: "00" });
    },
    value: (pod, path) => fs.readFileSync(join(sysfsOf(pod), "class/net/net1", path), "utf8").trim(),
    setValue: (pod, path, text) => writeFolder(sysfsOf(pod), { [`class/net/net1/${path}`]: text }),
    removeValue: (pod, path) => fs.rmSync(join(sysfsOf(pod), "class/net/net1", path)),
    socketFlows: (entries) => {
      if (entries !== undefined) writeFolder(root, { [socketFlows]: `${entries}` });
      return Number(fs.readFileSync(join(root, socketFlows), "utf8"));
    },
    mask: (pod, queue = "rx-0") => {
      const path = join(sysfsOf(pod), "class/net/net1/queues", queue, maskFile(queue));
      return formatCpuList(parseCpuMask(fs.readFileSync(path, "utf8")));
    },
    [Symbol.dispose]: () => fake[Symbol.dispose](),
  };
}

function moveLink(
  { host }: FakeHost,
  from: string | undefined,
  to: string,
  name: string,
  newName: string,
): void {
  using source = host.namespaces.open(from ?? "/proc/1/ns/net");
  using target = host.namespaces.open(to);
  if (source === undefined || target === undefined)
    throw new Error(`no namespace ${from ?? "host"} or ${to}`);
  using there = host.openNetlink(source);
  const link = there.getLink({ name });
  if (link === undefined) throw new Error(`no link ${name} in ${source.label}`);
  there.moveLink(link.index, target);
  using here = host.openNetlink(target);
  const moved = here.getLink({ name });
  if (moved === undefined) throw new Error(`${name} did not arrive in ${target.label}`);
  here.setLink(moved.index, { set: "name", value: newName });
}
