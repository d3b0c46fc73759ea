// The floor: a program that does only the netlink work of an ADD or a DEL, one move, rename, up, address, route, and nothing else.
// `floor ADD|DEL NETNS NAME`: moves the link NAME of this namespace to NETNS as net1, or back. Prints the milliseconds of that work.

import { createHost } from "../../../host/create-host.ts";
import type { Netlink } from "../../../host/netlink/netlink.ts";

const [, , verb = "", path = "", name = ""] = process.argv;
const host = createHost();
const startMs = performance.now();
using netns = host.namespaces.open(path);
if (netns === undefined) throw new Error(`there is no namespace ${path}`);
using home = host.openNetlink();
using inside = host.openNetlink(netns);
if (verb === "ADD") add(home, inside);
else del(home, inside);
console.log((performance.now() - startMs).toFixed(3));

function add(from: Netlink, to: Netlink): void {
  const { index } = find(from, name);
  if (netns !== undefined) from.moveLink(index, netns);
  const moved = find(to, name).index;
  to.setLink(moved, { set: "name", value: "net1" });
  to.addAddress(moved, { family: 4, address: "192.0.2.50", prefixLength: 24 });
  to.setLink(moved, { set: "up", value: true });
  to.addRoute({ family: 4, destination: "198.51.100.0/24", gateway: "192.0.2.1", index: moved });
}

function del(to: Netlink, from: Netlink): void {
  using own = host.namespaces.own();
  const { index } = find(from, "net1");
  from.setLink(index, { set: "up", value: false });
  from.setLink(index, { set: "name", value: name });
  from.moveLink(index, own);
  find(to, name);
}

function find(netlink: Netlink, link: string): { readonly index: number } {
  const found = netlink.getLink({ name: link });
  if (found === undefined) throw new Error(`there is no link ${link}`);
  return found;
}
