// Values that the chart is rendered with, by what they are for; and some that it must refuse.

type Values = Readonly<Record<string, unknown>>;

/** Each stands for the component of its name, in the order in which components are listed, or for the overlay. */
export const overlayValues: Readonly<Record<string, Values>> = {
  multus: { chained: false },
  "sriov-name": { cniName: "sriov" },
  cdi: { cdi: true },
  "udev-rule": { udevRule: true },
  report: { report: true },
  selinux: { selinux: true },
  provision: { provision: true },
  uninstall: { uninstall: true },
};

export const files = {
  networks: [{ resource: "sriov/vf", vlan: 100, max_tx_rate: 1_000_000, ipam: { type: "static" } }],
  deviceplugin: { resourceList: [{ resourceName: "fast", selectors: { vendors: ["8086"] } }] },
};

export const places: Values = {
  image: { repository: "registry.test/virtfn", tag: "0.1.0", pullPolicy: "Never" },
  imagePullSecrets: [{ name: "pull" }],
  namespace: { create: false, name: "net" },
  paths: { kubelet: "/data/kubelet", cniBin: "/data/bin", cniConf: "/data/net.d" },
  ports: { tuning: 19_811 },
  nodeSelector: { sriov: "here" },
  tolerations: [],
  affinity: { nodeAffinity: {} },
  podAnnotations: { team: "net" },
  priorityClassName: "",
};

/** What its schema refuses. */
export const refusedValues: readonly Values[] = [
  { imag: {} },
  { ports: { tuning: "metrics" } },
  { networks: [{ vlann: 1 }] },
  { namespace: { name: "A b" } },
  { paths: { kubelet: "data/" } },
  { cniName: "../sriov" },
];
