// QEMU's command line for the emulated SR-IOV node: 4 CPUs on 2 NUMA nodes, an igb PF on each, both on one switch; or one virtio PF.

import { LAB_NETWORK } from "../artifacts.ts";

export interface QemuOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
  /** Of the whole node, at most `maxMemoryMb`; half of it on each NUMA node. */
  readonly memoryMb: number;
  /** VFs that the node's boot unit makes, per PF. */
  readonly numVfs: readonly [number, number];
  readonly tap: string;
  /** A second node of a lab (peer-node.ts): other addresses, 2 CPUs, no kubelet. */
  readonly isPeer?: boolean | undefined;
  /** `virtio`: one PF with `virtioVfs` VFs, on NUMA node 0; only QEMU 11 has it (prepare/virtio-qemu.ts). */
  readonly nics?: "igb" | "virtio" | undefined;
  readonly consoleLog: string;
  readonly agentSocket: string;
  readonly qmpSocket: string;
}

/** VFs of the virtio PF, each with so many pairs of queues and a tap of its own, which QEMU makes: only a tap has several queues. */
export const virtioVfs = [
  { tap: "virtio1", queues: 2 },
  { tap: "virtio2", queues: 2 },
  { tap: "virtio3", queues: 2 },
] as const;

/** MAC address of the node's management NIC, by which the guest knows it from the PFs. */
const managementMac = "52:54:00:63:00:02";

/**
 * With this much or more q35 puts memory above 4 GB and the firmware puts the VFs' registers there too, where QEMU's igb does
 * not answer: VFs appear, but reach neither their PF ("PF still in reset state") nor the link.
 */
const maxMemoryMb = 2815;

const pfs = [
  { id: "pf0", root: "rp0", mac: "01" },
  { id: "pf1", root: "rp1", mac: "02" },
] as const;

/**
 * All that QEMU emulates, but for what has the kernel do more and no test looks at: a fifth level of page tables, and protections
 * whose switches at each of the kernel's accesses to a program's memory end a translated block.
 */
const cpu = "max,la57=off,smap=off,smep=off,umip=off,pku=off";

type Option = readonly [name: string, value: string];

/** Software emulation only. Interrupt remapping stays off: with it, 4 CPUs and NUMA the guest hangs. Throws RangeError for too much memory. */
export function qemuArguments(options: QemuOptions): readonly string[] {
  return [
    "-nodefaults",
    machine(options),
    cpusAndMemory(options),
    disk(options.disk),
    controlPorts(options),
    managementNic(options.tap),
    pfBuses(),
    options.nics === "virtio"
      ? virtioDevices()
      : pfs.map((pf, index) => pfDevice(pf, index, options.isPeer === true ? "01" : "00")),
  ].flat(3);
}

function machine(options: QemuOptions): readonly Option[] {
  return [
    ["-machine", "q35"],
    ["-accel", "tcg,thread=multi"],
    ["-cpu", cpu],
    ["-display", "none"],
    ["-serial", `file:${options.consoleLog}`],
    ["-kernel", options.kernel],
    ["-initrd", options.initrd],
    ["-append", kernelCommandLine(options)],
  ];
}

function kernelCommandLine({ numVfs, isPeer }: QemuOptions): string {
  return [
    "console=ttyS0",
    "root=/dev/vda rw",
    // Avoids a probe for a CD-ROM that takes minutes.
    "libata.force=disable",
    // Periodic ticks: on a loaded machine a one-shot timer was lost at times, and the boot hung ("kthread timer wakeup didn't happen").
    "nohz=off highres=off",
    // A task that is blocked for so long is named on the console; an NMI (dead-node.ts) shows CPUs (0x40), blocked tasks (0x80) and timers (0x4).
    "sysctl.kernel.hung_task_timeout_secs=20 unknown_nmi_panic panic_print=0xc4",
    // The kernel does not trust this CPU's counter by itself, and then each look at the clock is a system call and an access to a device.
    "tsc=reliable",
    // For apic-guard.c, which looks at the CPUs' interrupt controllers.
    "iomem=relaxed",
    // Work that protects nobody here: an emulated CPU does not speculate.
    "mitigations=off init_on_alloc=0 nowatchdog audit=0",
    "intel_iommu=on iommu=pt vfio_iommu_type1.allow_unsafe_interrupts=1",
    `virtfn.numvfs=${numVfs.join(",")}`,
    ...(isPeer === true ? [ofPeer] : []),
  ].join(" ");
}

/** Read by the guest's boot script and kubelet.service. */
const ofPeer = `virtfn.address=${LAB_NETWORK.peerAddress}/${LAB_NETWORK.prefixLength} virtfn.api=${LAB_NETWORK.peerApiAddress} virtfn.kubelet=off`;

function cpusAndMemory({ memoryMb, isPeer }: QemuOptions): readonly Option[] {
  if (memoryMb > maxMemoryMb)
    throw new RangeError(`the node's memory: expected at most ${maxMemoryMb} MB, got ${memoryMb}`);
  const perNodeMb = Math.floor(memoryMb / 2);
  const [cpus, cores, ofNode0, ofNode1] = isPeer === true ? [2, 1, "0", "1"] : [4, 2, "0-1", "2-3"];
  return [
    ["-smp", `${cpus},sockets=2,cores=${cores},threads=1`],
    ["-m", `${perNodeMb * 2}`],
    ["-object", `memory-backend-ram,id=m0,size=${perNodeMb}M`],
    ["-numa", `node,nodeid=0,cpus=${ofNode0},memdev=m0`],
    ["-object", `memory-backend-ram,id=m1,size=${perNodeMb}M`],
    ["-numa", `node,nodeid=1,cpus=${ofNode1},memdev=m1`],
    ["-device", "intel-iommu,intremap=off"],
  ];
}

function disk(file: string): readonly Option[] {
  return [
    ["-drive", `file=${file},format=raw,if=none,id=hd0,snapshot=on,cache=unsafe`],
    ["-device", "virtio-blk-pci,drive=hd0,bus=pcie.0,addr=0x2"],
  ];
}

function controlPorts(options: QemuOptions): readonly Option[] {
  return [
    ["-device", "virtio-serial-pci,bus=pcie.0,addr=0x3"],
    ["-chardev", `socket,id=lab,path=${options.agentSocket},server=on,wait=off`],
    ["-device", "virtserialport,chardev=lab,name=lab"],
    ["-qmp", `unix:${options.qmpSocket},server=on,wait=off`],
  ];
}

function managementNic(tap: string): readonly Option[] {
  return [
    ["-netdev", `tap,id=k0,ifname=${tap},script=no,downscript=no`],
    ["-device", `virtio-net-pci,netdev=k0,bus=pcie.0,addr=0x8,mac=${managementMac},romfile=`],
  ];
}

function pfBuses(): readonly Option[] {
  return [
    ["-device", "pxb-pcie,id=pxb1,bus=pcie.0,addr=0x5,bus_nr=64,numa_node=1"],
    ["-device", "pxb-pcie,id=pxb0,bus=pcie.0,addr=0x6,bus_nr=32,numa_node=0"],
    ["-device", "pcie-root-port,id=rp0,bus=pxb0,chassis=1,slot=1"],
    ["-device", "pcie-root-port,id=rp1,bus=pxb1,chassis=2,slot=2"],
  ];
}

function pfDevice(pf: (typeof pfs)[number], index: number, node: string): readonly Option[] {
  return [
    ["-netdev", `hubport,id=n${index},hubid=0`],
    ["-device", `igb,id=${pf.id},bus=${pf.root},netdev=n${index},mac=52:54:00:00:${node}:${pf.mac}`],
  ];
}

/** The VFs come first: the PF takes those that name it. Source: QEMU's docs/system/sriov.rst. */
function virtioDevices(): readonly (readonly Option[])[] {
  const vfs = virtioVfs.map(({ tap, queues }, index): readonly Option[] => {
    // Two interrupts for each pair, one for the configuration, one for the control queue.
    const device = `bus=rp0,addr=0x0.0x${index + 1},sriov-pf=pf0,mq=on,vectors=${2 * queues + 2}`;
    return [
      ["-netdev", `tap,id=${tap},ifname=${tap},queues=${queues},script=no,downscript=no`],
      ["-device", `virtio-net-pci,${device},netdev=${tap},mac=52:54:00:00:02:0${index + 1},romfile=`],
    ];
  });
  const pf: readonly Option[] = [
    ["-netdev", "hubport,id=n0,hubid=0"],
    ["-device", "virtio-net-pci,id=pf0,bus=rp0,addr=0x0.0x0,netdev=n0,mac=52:54:00:00:02:00,romfile="],
  ];
  return [...vfs, pf];
}
