// The lab's own network namespace: a tap to the node and loopback, nothing else, so that labs never meet each other or the machine.
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { execa } from "execa";
import { LAB_NETWORK } from "../artifacts.ts";

/** The taps that QEMU opens in the namespace: the node's, and that of a second node. */
export const tapName = "lab0";
export const peerTapName = "lab1";

const netnsFolder = "/run/netns";
const netnsName = /^virtfn-lab-(\d+)-(\d+)-[0-9a-f]+$/;

export interface LabNetwork extends AsyncDisposable {
  readonly netns: string;
}

/** Makes the namespace with its tap, named after this process so that a later start can tell when it is left over. */
export async function createLabNetwork(): Promise<LabNetwork> {
  await removeStaleNetworks();
  const netns = `virtfn-lab-${process.pid}-${startTime(process.pid)}-${randomBytes(3).toString("hex")}`;
  await execa("ip", ["netns", "add", netns]);
  const network = { netns, [Symbol.asyncDispose]: () => removeNetwork(netns) };
  try {
    await ipIn(netns, "link", "set", "lo", "up");
    await addTap(netns, tapName, LAB_NETWORK.apiAddress);
    return network;
  } catch (error) {
    await removeNetwork(netns);
    throw error;
  }
}

/** The way to a second node: a tap of its own, and what one node sends to the other goes over the namespace. */
export async function addPeerTap(netns: string): Promise<void> {
  await addTap(netns, peerTapName, LAB_NETWORK.peerApiAddress);
  const [command, ...args] = inNetns(netns, "sysctl", ["--quiet", "net.ipv4.ip_forward=1"]);
  await execa(command, args);
}

async function addTap(netns: string, tap: string, address: string): Promise<void> {
  await ipIn(netns, "tuntap", "add", "dev", tap, "mode", "tap");
  await ipIn(netns, "address", "add", `${address}/${LAB_NETWORK.prefixLength}`, "dev", tap);
  await ipIn(netns, "link", "set", tap, "up");
}

/** The command line that runs `command` in the namespace under the same process id. */
export function inNetns(
  netns: string,
  command: string,
  args: readonly string[],
): readonly [string, ...string[]] {
  return ["nsenter", `--net=${netnsFolder}/${netns}`, "--", command, ...args];
}

/** Removes the namespaces of labs whose process is gone (it was killed before it could do so itself). */
export async function removeStaleNetworks(): Promise<void> {
  if (!existsSync(netnsFolder)) return;
  const stale = readdirSync(netnsFolder).filter((name) => {
    const [, pid, started] = netnsName.exec(name) ?? [];
    return pid !== undefined && startTime(Number(pid)) !== started;
  });
  await Promise.all(stale.map(removeNetwork));
}

async function removeNetwork(netns: string): Promise<void> {
  await execa("ip", ["netns", "delete", netns], { reject: false });
}

async function ipIn(netns: string, ...args: readonly string[]): Promise<void> {
  await execa("ip", ["-n", netns, ...args]);
}

/** When the process started, in clock ticks since boot: with the pid it names one process for ever. Source: proc(5), field 22 of stat. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
