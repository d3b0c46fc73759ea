// Benches as processes in a network namespace that stands for a machine.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import type { NetperfFolder } from "./netperf-folder.ts";
import { createTestNetns } from "./netns.ts";

const benches = resolve(import.meta.dirname, "../bench");

/** For skip(). */
export const whyNoNetperf = "netperf is not installed, and no lab was prepared whose netperf could be used";

/** As short as it can be. */
export const smallBench = "--namespaces 2 --processes 2 --rounds 1 --seconds 2 --warm-up 1".split(" ");

/** Removed when disposed. */
export function createFolder(prefix: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), prefix));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** A namespace as a machine's, with a folder of names of its own: another bench may run on this machine. */
export function createNode() {
  const netns = createTestNetns();
  const folder = createFolder("virtfn-netns-");
  const names = folder.path;
  return {
    ...netns,
    names,
    /** Links with their state and addresses, and names of namespaces, as text. */
    look: () => [...netns.look("address show").map(formatLink), ...readdirSync(names)].join("\n"),
    [Symbol.dispose]: () => {
      netns[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Without what the kernel gives by itself once a link is up: its link-local address, tentative for a while. */
function formatLink(link: Readonly<Record<string, unknown>>): string {
  const { ifname, flags, master, linkinfo, addr_info } = link as Readonly<ShownLink>;
  const addresses = (addr_info ?? []).filter(({ scope }) => scope !== "link");
  return [
    ifname,
    linkinfo?.info_kind ?? "-",
    flags?.includes("UP") === true ? "up" : "down",
    master ?? "-",
    ...addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  ].join(" ");
}

interface ShownLink {
  ifname?: string;
  flags?: readonly string[];
  master?: string;
  linkinfo?: { readonly info_kind?: string };
  addr_info?: readonly { readonly scope: string; readonly local: string; readonly prefixlen: number }[];
}

const ownNames = 'mount --bind "$1" /run/netns && shift && exec "$@"';

type Node = Pick<ReturnType<typeof createNode>, "name" | "names">;

/** bench:network. `said`: stdout, stderr and exit code, when it has ended. */
export function startBench(netperf: Pick<NetperfFolder, "path">, node: Node, args: readonly string[]) {
  return startBenchOf("network", node, args, { PATH: `${netperf.path}:${process.env["PATH"]}` });
}

/** As `startBench`, of bench:`bench`. */
export function startBenchOf(
  bench: string,
  { name, names }: Node,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
) {
  const inside = ["ip", "netns", "exec", name, "sh", "-c", ownNames, "sh", names];
  const entry = join(benches, bench, "main.ts");
  const child = Bun.spawn([...inside, process.execPath, entry, ...args], {
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  return { child, said: Promise.all([child.stdout.text(), child.stderr.text(), child.exited]) };
}
