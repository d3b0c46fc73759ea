// What a pod with CAP_NET_ADMIN can do to its VF, and the VF keeps on its way home.

import { openNetnsOf } from "./attached-node.ts";
import type { FakeHost } from "./fake-host.ts";

/** Does all of it to the pod's VF `name`, which is called `mine` afterwards. */
export function spoilVf(node: FakeHost, name = "net1"): void {
  using netns = openNetnsOf(node);
  using netlink = node.host.openNetlink(netns);
  const index = netlink.getLink({ name })?.index ?? 0;
  const [first] = netlink.getLink({ index })?.altNames ?? [];
  netlink.setLink(index, { set: "up", value: false });
  netlink.setLink(index, { set: "name", value: "mine" });
  netlink.setLink(index, { set: "mac", value: "02:ee:ee:ee:ee:ee" });
  netlink.setLink(index, { set: "mtu", value: 1400 });
  netlink.setLink(index, { set: "promiscuous", value: true });
  netlink.setLink(index, { set: "allMulticast", value: true });
  netlink.setLink(index, { set: "alias", value: "mine" });
  netlink.setLink(index, { set: "txQueueLength", value: 7 });
  netlink.setLink(index, { set: "trait", trait: "hasArp", value: false });
  netlink.setLink(index, { set: "trait", trait: "hasMulticast", value: false });
  netlink.setLink(index, { set: "trait", trait: "broadcast", value: "02:ee:ee:ee:ee:ee" });
  netlink.setLink(index, { set: "trait", trait: "linkMode", value: 1 });
  netlink.setLink(index, { set: "trait", trait: "group", value: 7 });
  netlink.setLink(index, { set: "trait", trait: "gsoMaxSegs", value: 2 });
  netlink.setLink(index, { set: "trait", trait: "gsoMaxSize", value: 2000 });
  netlink.setLink(index, { set: "trait", trait: "groMaxSize", value: 2000 });
  if (first !== undefined) netlink.removeAltName(index, first);
  netlink.addAltName(index, "eth0");
  spoilWithEthtool(node, index);
  attachPrograms(node, "mine");
}

/** Rings, features, and what the driver has of coalescing and channels. */
function spoilWithEthtool(node: FakeHost, index: number): void {
  using netns = openNetnsOf(node);
  using ethtool = node.host.openEthtool(netns);
  using sysfs = node.host.namespaces.openSysfs(netns);
  ethtool.setRings(index, { rx: 64, tx: 64 });
  ethtool.setFeatures(index, [0, 0]);
  const coalescing = Object.keys(ethtool.getCoalescing(index) ?? {});
  ethtool.setCoalescing(index, Object.fromEntries(coalescing.map((key) => [key, 0])));
  sysfs.writeText("class/net/mine/threaded", "1");
  sysfs.writeText("class/net/mine/queues/rx-0/rps_cpus", "01");
  sysfs.writeText("class/net/mine/queues/rx-0/rps_flow_cnt", "4096");
  sysfs.writeText("class/net/mine/queues/tx-0/xps_cpus", "01");
}

function attachPrograms(node: FakeHost, name: string): void {
  const links = node.kernel.mounted.get("/run/netns/web-1")?.links.values() ?? [];
  const link = [...links].find((found) => found.name === name);
  if (link === undefined) throw new Error(`there is no ${name}`);
  link.xdp = [
    { mode: "skb", program: 7, isHeld: false },
    { mode: "drv", program: 8, isHeld: true },
  ];
  link.hasTcx = true;
}
