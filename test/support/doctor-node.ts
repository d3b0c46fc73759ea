// A fake node with nothing wrong for the commands that explain, and what they ask the kubelet.

import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import type { DoctorHost } from "../../cli/doctor/facts.ts";
import { ContainerAllocateResponse } from "../../kubelet/gen/deviceplugin.ts";
import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import { readAttachment, writeAttachment } from "../../sriov/attachment-store.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import { readVf } from "../../sriov/inventory.ts";
import { writeTuningRecord } from "../../sriov/tuning-store.ts";
import { formatHostStatus } from "./fake-irqbalance.ts";
import { offer } from "./status-node.ts";
import { createTuningNode, type TuningNode } from "./tuning-node.ts";

export interface DoctorNode extends Omit<TuningNode, "host"> {
  readonly host: DoctorHost & TuningNode["host"];
  /** What the kubelet answers. */
  readonly pods: PodAllocation[];
  write(path: string, text: string, mode?: number): void;
  /** Pins all queue interrupts of a VF, as tuning does and notes. */
  pin(vf: number): void;
  /** Takes the interface of a pod up or down. */
  setUp(pod: string, isUp: boolean): void;
  record(vf: number): Attachment;
  putRecord(record: Attachment): void;
  /** Shows process 77 in /proc, named as its first argument. */
  startProcess(args: readonly string[]): void;
}

const conflist = {
  cniVersion: "1.0.0",
  name: "cluster",
  plugins: [{ type: "bridge" }, { type: "virtfn", capabilities: {} }],
};

/** Where the device plugin of the node listens. */
const pluginSocket = "var/lib/kubelet/plugins_registry/sriov_vf.sock";

/** Three VFs of one PF, offered as sriov/vf; VF 0 is in the pod shop/web-1 and pinned. Files that end in .sock are sockets. */
export function createDoctorNode(): DoctorNode {
  const tuning = createTuningNode(3);
  const { fake } = tuning;
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(fake.root, path)), { recursive: true });
    writeFileSync(join(fake.root, path), text, { mode });
  };
  const node: DoctorNode = {
    ...tuning,
    host: withSockets(tuning.host),
    pods: [makePod("web-1", [tuning.address(0)])],
    write,
    pin: (vf) => pin(tuning, vf),
    setUp: (pod, isUp) => setUp(tuning, pod, isUp),
    record: (vf) => {
      const found = readAttachment(tuning.host, tuning.address(vf));
      if (found === undefined) throw new Error(`VF ${vf} has no record`);
      return found;
    },
    putRecord: (record) => writeAttachment(tuning.host, record),
    startProcess: (args) => {
      write("proc/77/comm", `${basename(args[0] ?? "")}\n`);
      write("proc/77/cmdline", `${args.join("\0")}\0`);
      write("proc/77/status", formatHostStatus(77));
    },
  };
  write("proc/sys/kernel/osrelease", "6.12.0-amd64\n");
  write("proc/sys/kernel/random/boot_id", `${tuning.host.clock.bootId()}\n`);
  write("opt/cni/bin/virtfn", "", 0o755);
  write("etc/cni/net.d/10-cluster.conflist", JSON.stringify(conflist));
  for (const name of ["device-plugins/kubelet.sock", "plugins_registry/x", "pod-resources/kubelet.sock"])
    write(`var/lib/kubelet/${name}`, "");
  tuning.attach(0, "web-1");
  node.setUp("web-1", true);
  node.pin(0);
  const all = [0, 1, 2].map((vf) => tuning.address(vf));
  offer(tuning, { pools: { "sriov/vf": all } });
  fake.sockets.servers.set(join(fake.root, pluginSocket), () => "");
  return node;
}

/** A pod of namespace shop with these VFs of sriov/vf. */
export function makePod(name: string, vfs: readonly string[]): PodAllocation {
  const devices = new Map([["sriov/vf", vfs]]);
  return { namespace: "shop", name, containers: [{ name: "app", cpus: [], devices }] };
}

/** Writes what the kubelet keeps of the answer for VF 0, which web-1 has: with this node of a VFIO group. */
export function writeGrant(node: DoctorNode, group: string): void {
  const devices = ["/dev/vfio/vfio", group].map((path) => ({
    hostPath: path,
    containerPath: path,
    permissions: "rw",
  }));
  const answer = ContainerAllocateResponse.encode({
    envs: {},
    mounts: [],
    devices,
    annotations: {},
    cdiDevices: [],
  });
  const entry = {
    PodUID: "uid-of-web-1",
    ContainerName: "app",
    ResourceName: "sriov/vf",
    DeviceIDs: { "0": [node.address(0)] },
    AllocResp: Buffer.from(answer.finish()).toString("base64"),
  };
  const data = { PodDeviceEntries: [entry], RegisteredDevices: {} };
  node.host.files.writeAtomic(
    node.host.paths.kubelet.checkpoint,
    JSON.stringify({ Data: data, Checksum: 1 }),
  );
}

function withSockets(host: TuningNode["host"]): TuningNode["host"] {
  const stat: typeof host.files.stat = (path, options) => {
    const found = host.files.stat(path, options);
    return found !== undefined && path.endsWith(".sock") ? { ...found, kind: "socket" } : found;
  };
  return { ...host, files: { ...host.files, stat } };
}

function setUp({ host }: TuningNode, pod: string, value: boolean): void {
  using netns = host.namespaces.open(`/run/netns/${pod}`);
  if (netns === undefined) throw new Error(`there is no pod ${pod}`);
  using netlink = host.openNetlink(netns);
  netlink.setLink(netlink.getLink({ name: "net1" })?.index ?? 0, { set: "up", value });
}

function pin(node: TuningNode, vf: number): void {
  const { host } = node;
  const address = node.address(vf);
  for (const [cpu, irq] of node.irqs(vf).slice(0, 2).entries())
    for (const file of ["smp_affinity_list", "effective_affinity_list"])
      host.files.writeText(join(host.paths.proc, "irq", `${irq}`, file), `${cpu}`);
  writeTuningRecord(host, {
    address,
    bootId: host.clock.bootId(),
    inode: String(readVf(host, address)?.inode),
    vectors: [0, 1].map((cpu) => ({ msiIndex: cpu, original: "0-3", cpu })),
  });
}
