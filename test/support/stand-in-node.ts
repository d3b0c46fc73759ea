// A node of stand-ins: one namespace as the host's, with a PF and VFs of veth, folders for their sysfs, and pods beside it.

import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { addPf } from "./fake-host-sysfs.ts";
import { createTestNetns, type TestNetns } from "./netns.ts";
import { addStandInDevice, addStandInLink, setStandInVfs, standInPf } from "./stand-in-vfs.ts";

export interface StandInNode extends Disposable {
  readonly root: string;
  /** The namespace that is the host's. */
  readonly host: TestNetns;
  /** Runs one verb as a process in the host's namespace. `environment` is added to the pod's. */
  readonly call: (
    verb: string,
    config: object,
    environment: Readonly<Record<string, string>>,
  ) => Promise<StandInAnswer>;
  /** The host's links and the PF's side, as text: without what changes by itself (indexes, peers, qdiscs). */
  readonly toText: () => string;
}

export interface StandInAnswer {
  readonly exitCode: number;
  readonly json: Readonly<Record<string, unknown>> | undefined;
  readonly stderr: string;
}

/** VF n is pf0v<n> at 0000:3b:02.<n>. `command` is what runs the CNI: the TypeScript entry by default. Needs root. */
export function createStandInNode(vfs: number, command: readonly string[] = defaultCommand()): StandInNode {
  const root = fs.mkdtempSync(join(tmpdir(), "virtfn-stand-in-"));
  const host = createTestNetns();
  makeSysfs(root, vfs);
  const ip = (command: string): void => host.ip(command);
  addStandInLink(root, standInPf, ip);
  ip("link set pf0 up");
  setStandInVfs(root, vfs, ip);
  return {
    root,
    host,
    call: (verb, config, environment) => run(host, [...command, root], verb, config, environment),
    toText: () => formatNode(root, host),
    [Symbol.dispose]: () => {
      host[Symbol.dispose]();
      fs.rmSync(root, { recursive: true, force: true });
    },
  };
}

function defaultCommand(): readonly string[] {
  return [process.execPath, resolve(import.meta.dirname, "stand-in-cni-main.ts")];
}

function makeSysfs(root: string, vfs: number): void {
  const sysfs = join(root, "sys");
  addStandInDevice(root, standInPf);
  addPf(sysfs, standInPf, Math.max(8, vfs));
  fs.mkdirSync(join(sysfs, "class"), { recursive: true });
  fs.symlinkSync("/sys/class/net", join(sysfs, "class/net"));
  fs.symlinkSync("/proc", join(root, "proc"));
}

async function run(
  host: TestNetns,
  command: readonly string[],
  verb: string,
  config: object,
  environment: Readonly<Record<string, string>>,
): Promise<StandInAnswer> {
  const env = {
    ...process.env,
    CNI_PATH: "/usr/lib/cni",
    CNI_IFNAME: "net1",
    ...environment,
    CNI_COMMAND: verb,
  };
  return new Promise((done) => {
    const args = ["netns", "exec", host.name, ...command];
    const child = execFile("ip", args, { env }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : Number(error.code ?? -1);
      // What is no answer at all (a crash) is shown as it came.
      const isAnswer = stdout.trim() === "" || stdout.startsWith("{");
      if (!isAnswer) throw new Error(`${verb} wrote ${stdout}${stderr}`);
      done({
        exitCode,
        stderr,
        json: stdout.trim() === "" ? undefined : (JSON.parse(stdout) as StandInAnswer["json"]),
      });
    });
    child.stdin?.end(JSON.stringify(config));
  });
}

function formatNode(root: string, host: TestNetns): string {
  const links = host.look("link show").filter(({ ifalias }) => ifalias !== undefined);
  // Up as it was set: the carrier of a veth follows a moment later, by itself.
  const lines = links.map(({ ifname, address, mtu, flags, altnames, ifalias }) => {
    const isUp = (flags as readonly string[]).includes("UP");
    return JSON.stringify({ ifname, address, mtu, isUp, altnames, ifalias });
  });
  const records = join(root, "var/lib/virtfn/attachments");
  const files = fs.existsSync(records) ? fs.readdirSync(records) : [];
  return [...lines.toSorted(), fs.readFileSync(join(root, "pf.json"), "utf8"), ...files].join("\n");
}
