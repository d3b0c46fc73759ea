// Where the few files lie that calls read which do nothing else.

/** A part of `Paths`. */
export interface ReaderPaths {
  readonly proc: string;
  /** Says for which boot the records of earlier boots were released. */
  readonly releasedBoot: string;
  /** Where runtimes read which plugins a pod's network has, by default. */
  readonly cniConfigs: string;
  readonly kubelet: {
    readonly podResourcesSocket: string;
    readonly checkpoint: string;
  };
}

/** The paths below `root`, an absolute path. */
export function createReaderPaths(root: string): ReaderPaths {
  const base = root.endsWith("/") ? root.slice(0, -1) : root;
  return {
    proc: `${base}/proc`,
    releasedBoot: `${base}/run/virtfn/released-boot`,
    cniConfigs: `${base}/etc/cni/net.d`,
    kubelet: {
      podResourcesSocket: `${base}/var/lib/kubelet/pod-resources/kubelet.sock`,
      checkpoint: `${base}/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint`,
    },
  };
}
