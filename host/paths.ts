// Where things lie on a node. Only tests choose another root; nothing in the environment or configuration moves them.

import { dirname, join } from "node:path";

import { createReaderPaths, type ReaderPaths } from "./reader-paths.ts";

/** Absolute paths, all below one root (`/` in what ships). */
export interface Paths extends ReaderPaths {
  readonly root: string;
  readonly sys: string;
  /** udev's socket, and its entries of devices. */
  readonly udev: string;
  /** Root of the host's mount namespace as seen from here: the root itself on the host, /proc/1/root in a pod with hostPID. */
  readonly hostRoot: string;
  /** Root that the node's own programs (IPAM delegates) are found in and run with: `hostRoot` where that is another than ours. */
  readonly programRoot: string;
  /** Records of attached VFs, one file per VF (0700). */
  readonly attachments: string;
  /** Records and state files that could not be read, moved aside. */
  readonly quarantine: string;
  /** What tuning changed, one file per VF. */
  readonly tuningState: string;
  /** What tuning told irqbalance. */
  readonly toldIrqBalance: string;
  readonly locks: string;
  /** What sriov-cni remembers of its pods. */
  readonly sriovCni: string;
  /** Second copies of the records of VFs without a netdev. */
  readonly userspaceCopies: string;
  /** Names that VFs on the host could not get back yet. */
  readonly homeNames: string;
  /** The same, of a node whose /run was full. */
  readonly homeNamesOnDisk: string;
  /** What PFs were before their VFs were made. */
  readonly pfNotes: string;
  /** What the device plugin advertises now. */
  readonly pools: string;
  /** Pins that tuning leaves alone for a while. */
  readonly contestedPins: string;
  /** What tuning could not do in its last look. */
  readonly tuningProblems: string;
  /** CPUs that pods have for themselves, as the kubelet told tuning last. */
  readonly podCpus: string;
  /** What tuning made of the node's table of socket flows. */
  readonly rfsNote: string;
  /** Device-info files of device plugins; /var/run of a node is /run. */
  readonly deviceInfo: string;
  /** Those of attachments, which Multus names. */
  readonly cniDeviceInfo: string;
  /** CDI files that are made anew at each boot; /etc/cdi is the administrator's. */
  readonly cdi: string;
  readonly nodeConfig: string;
  /** What the device plugin offers under which names, where there is no `--config-file`. */
  readonly resourceConfig: string;
  /** Where log files of the CNI may be: /var/log. */
  readonly logs: string;
  readonly kubelet: ReaderPaths["kubelet"] & {
    readonly devicePlugins: string;
    readonly pluginsRegistry: string;
  };
}

/** The paths below `root`; `hostRoot` defaults to the same root. */
export function createPaths(root = "/", hostRoot = root): Paths {
  const at = (...parts: readonly string[]): string => join(root, ...parts);
  const read = createReaderPaths(at());
  return {
    ...read,
    root,
    hostRoot,
    programRoot: hostRoot === root ? "/" : hostRoot,
    sys: at("sys"),
    udev: at("run/udev"),
    attachments: at("var/lib/virtfn/attachments"),
    quarantine: at("var/lib/virtfn/quarantine"),
    tuningState: at("var/lib/virtfn/tuning"),
    toldIrqBalance: at("var/lib/virtfn/irqbalance.json"),
    locks: at("run/virtfn/lock"),
    sriovCni: at("var/lib/cni/sriov"),
    userspaceCopies: at("run/virtfn/userspace"),
    homeNames: at("run/virtfn/names"),
    homeNamesOnDisk: at("var/lib/virtfn/names"),
    pfNotes: at("run/virtfn/pf"),
    pools: at("run/virtfn/deviceplugin/pools.json"),
    contestedPins: at("run/virtfn/tuning/contested.json"),
    tuningProblems: at("run/virtfn/tuning/problems.json"),
    podCpus: at("run/virtfn/tuning/pod-cpus.json"),
    rfsNote: at("run/virtfn/tuning/rfs.json"),
    cdi: at("run/cdi"),
    deviceInfo: at("run/k8s.cni.cncf.io/devinfo/dp"),
    cniDeviceInfo: at("run/k8s.cni.cncf.io/devinfo/cni"),
    nodeConfig: at("etc/virtfn/node.yaml"),
    resourceConfig: at("etc/virtfn/deviceplugin/config.yaml"),
    logs: at("var/log"),
    kubelet: {
      ...read.kubelet,
      devicePlugins: at("var/lib/kubelet/device-plugins"),
      pluginsRegistry: at("var/lib/kubelet/plugins_registry"),
    },
  };
}

/** The folders in which virtfn's programs, the kubelet and the container runtime meet; a container has those that are mounted. */
export function listNodeFolders({
  locks,
  attachments,
  kubelet,
  nodeConfig,
  cdi,
  deviceInfo,
}: Paths): readonly string[] {
  const { devicePlugins, pluginsRegistry, podResourcesSocket } = kubelet;
  return [
    dirname(locks),
    dirname(attachments),
    dirname(nodeConfig),
    devicePlugins,
    pluginsRegistry,
    dirname(podResourcesSocket),
    cdi,
    dirname(dirname(deviceInfo)),
  ];
}

/** Whether `path` is a plain absolute path below /var/log. */
export function isLogPath(path: string): boolean {
  const [root, ...parts] = path.split("/");
  const isPlain = parts.every((part) => part !== "" && part !== "." && part !== ".." && !part.includes("\0"));
  return root === "" && isPlain && parts.length > 2 && parts[0] === "var" && parts[1] === "log";
}
