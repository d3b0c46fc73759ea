// QEMU's command line as it is meant to be: each line was read against QEMU's documentation and booted.
import { expect, test } from "vitest";
import { qemuArguments } from "../../../lab/node/qemu-arguments.ts";

test("the node has 4 CPUs on 2 NUMA nodes, an igb PF on each, one switch between them, and its way to the lab on a tap", () => {
  const args = qemuArguments({
    kernel: "/a/vmlinuz",
    initrd: "/a/initrd",
    disk: "/a/root.ext4",
    memoryMb: 2560,
    numVfs: [7, 0],
    tap: "lab0",
    consoleLog: "/r/console.log",
    agentSocket: "/r/agent",
    qmpSocket: "/r/qmp",
  });
  expect(args.join(" ").replaceAll(" -", "\n-")).toMatchInlineSnapshot(`
    "-nodefaults
    -machine q35
    -accel tcg,thread=multi
    -cpu max,la57=off,smap=off,smep=off,umip=off,pku=off
    -display none
    -serial file:/r/console.log
    -kernel /a/vmlinuz
    -initrd /a/initrd
    -append console=ttyS0 root=/dev/vda rw libata.force=disable nohz=off highres=off sysctl.kernel.hung_task_timeout_secs=20 unknown_nmi_panic panic_print=0xc4 tsc=reliable iomem=relaxed mitigations=off init_on_alloc=0 nowatchdog audit=0 intel_iommu=on iommu=pt vfio_iommu_type1.allow_unsafe_interrupts=1 virtfn.numvfs=7,0
    -smp 4,sockets=2,cores=2,threads=1
    -m 2560
    -object memory-backend-ram,id=m0,size=1280M
    -numa node,nodeid=0,cpus=0-1,memdev=m0
    -object memory-backend-ram,id=m1,size=1280M
    -numa node,nodeid=1,cpus=2-3,memdev=m1
    -device intel-iommu,intremap=off
    -drive file=/a/root.ext4,format=raw,if=none,id=hd0,snapshot=on,cache=unsafe
    -device virtio-blk-pci,drive=hd0,bus=pcie.0,addr=0x2
    -device virtio-serial-pci,bus=pcie.0,addr=0x3
    -chardev socket,id=lab,path=/r/agent,server=on,wait=off
    -device virtserialport,chardev=lab,name=lab
    -qmp unix:/r/qmp,server=on,wait=off
    -netdev tap,id=k0,ifname=lab0,script=no,downscript=no
    -device virtio-net-pci,netdev=k0,bus=pcie.0,addr=0x8,mac=52:54:00:63:00:02,romfile=
    -device pxb-pcie,id=pxb1,bus=pcie.0,addr=0x5,bus_nr=64,numa_node=1
    -device pxb-pcie,id=pxb0,bus=pcie.0,addr=0x6,bus_nr=32,numa_node=0
    -device pcie-root-port,id=rp0,bus=pxb0,chassis=1,slot=1
    -device pcie-root-port,id=rp1,bus=pxb1,chassis=2,slot=2
    -netdev hubport,id=n0,hubid=0
    -device igb,id=pf0,bus=rp0,netdev=n0,mac=52:54:00:00:00:01
    -netdev hubport,id=n1,hubid=0
    -device igb,id=pf1,bus=rp1,netdev=n1,mac=52:54:00:00:00:02"
  `);
});

const options = {
  kernel: "",
  initrd: "",
  disk: "",
  numVfs: [0, 0],
  tap: "",
  consoleLog: "",
  agentSocket: "",
  qmpSocket: "",
} as const;

test("a second node has other addresses, 2 CPUs and no kubelet", () => {
  const peer = qemuArguments({ ...options, memoryMb: 1024, isPeer: true });
  const first = new Set(qemuArguments({ ...options, memoryMb: 1024 }));
  expect(peer.filter((word) => !first.has(word)).join("\n")).toMatchInlineSnapshot(`
    "console=ttyS0 root=/dev/vda rw libata.force=disable nohz=off highres=off sysctl.kernel.hung_task_timeout_secs=20 unknown_nmi_panic panic_print=0xc4 tsc=reliable iomem=relaxed mitigations=off init_on_alloc=0 nowatchdog audit=0 intel_iommu=on iommu=pt vfio_iommu_type1.allow_unsafe_interrupts=1 virtfn.numvfs=0,0 virtfn.address=10.99.0.6/30 virtfn.api=10.99.0.5 virtfn.kubelet=off
    2,sockets=2,cores=1,threads=1
    node,nodeid=0,cpus=0,memdev=m0
    node,nodeid=1,cpus=1,memdev=m1
    igb,id=pf0,bus=rp0,netdev=n0,mac=52:54:00:00:01:01
    igb,id=pf1,bus=rp1,netdev=n1,mac=52:54:00:00:01:02"
  `);
});

test("a node with virtio NICs has one PF whose VFs have two pairs of queues each, on taps of their own", () => {
  const virtio = qemuArguments({ ...options, memoryMb: 1024, nics: "virtio" });
  const igb = new Set(qemuArguments({ ...options, memoryMb: 1024 }));
  expect(virtio.filter((word) => !igb.has(word)).join("\n")).toMatchInlineSnapshot(`
    "tap,id=virtio1,ifname=virtio1,queues=2,script=no,downscript=no
    virtio-net-pci,bus=rp0,addr=0x0.0x1,sriov-pf=pf0,mq=on,vectors=6,netdev=virtio1,mac=52:54:00:00:02:01,romfile=
    tap,id=virtio2,ifname=virtio2,queues=2,script=no,downscript=no
    virtio-net-pci,bus=rp0,addr=0x0.0x2,sriov-pf=pf0,mq=on,vectors=6,netdev=virtio2,mac=52:54:00:00:02:02,romfile=
    tap,id=virtio3,ifname=virtio3,queues=2,script=no,downscript=no
    virtio-net-pci,bus=rp0,addr=0x0.0x3,sriov-pf=pf0,mq=on,vectors=6,netdev=virtio3,mac=52:54:00:00:02:03,romfile=
    virtio-net-pci,id=pf0,bus=rp0,addr=0x0.0x0,netdev=n0,mac=52:54:00:00:02:00,romfile="
  `);
});

test("an odd number of megabytes is split evenly", () => {
  const args = qemuArguments({ ...options, memoryMb: 2049 });
  expect(args[args.indexOf("-m") + 1]).toBe("2048");
});

test("memory that would put the VFs' registers out of reach is refused", () => {
  expect(() => qemuArguments({ ...options, memoryMb: 2816 })).toThrow("expected at most 2815 MB, got 2816");
});
