// Developer's tool: starts a lab and leaves it running, or uses one that runs: exec, kubectl, copy, image, qmp, reset.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { execa } from "execa";
import type { LabArtifacts } from "./artifacts.ts";
import { onInterrupt } from "./interrupt.ts";
import { startLab } from "./lab.ts";
import { openLab, type OpenLab } from "./lab-handle.ts";
import { createProgress } from "./progress.ts";

const usage = `bun test/lab/shell.ts start ARTIFACTS.json [--dir DIR] [--vfs 7,0] [--memory MB] [--node-only]   until Ctrl-C
bun test/lab/shell.ts exec DIR -- SCRIPT...         a bash script on the node, as root
bun test/lab/shell.ts kubectl DIR -- ARGUMENTS...
bun test/lab/shell.ts copy DIR FILE PATH [MODE]     into the node
bun test/lab/shell.ts image DIR ARCHIVE             of an image, into the node's containerd (a minute)
bun test/lab/shell.ts qmp DIR COMMAND [JSON]        to QEMU's monitor
bun test/lab/shell.ts reset DIR [--no-sync]         of the node, until its agent answers again`;

const flags = {
  dir: { type: "string" },
  vfs: { type: "string", default: "7,0" },
  memory: { type: "string", default: "2560" },
  "node-only": { type: "boolean", default: false },
  "no-sync": { type: "boolean", default: false },
} as const;
type Flags = ReturnType<typeof parseArgs<{ options: typeof flags }>>["values"];

/** What can be done with a running lab: each gives the exit code. */
const commands: Readonly<
  Record<string, (lab: OpenLab, args: readonly string[], flags: Flags) => Promise<number>>
> = {
  exec: async ({ node }, args) => {
    const { exitCode, stdout, stderr } = await node.exec(args.join(" "), { timeoutMs: 600_000 });
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    return exitCode;
  },
  kubectl: async ({ kubectl }, args) => {
    const [program, ...before] = kubectl.commandLine;
    const { exitCode } = await execa(program, [...before, ...args], { stdio: "inherit", reject: false });
    return exitCode ?? 1;
  },
  copy: async ({ node }, [file = "", path = "", mode]) => {
    await node.copyIn(file, path, mode);
    return 0;
  },
  image: async ({ node }, [archive = ""]) => {
    await node.copyIn(archive, "/var/tmp/image.tar");
    return await say(
      node.run("ctr -n k8s.io images import /var/tmp/image.tar; rm /var/tmp/image.tar", {
        timeoutMs: 600_000,
      }),
    );
  },
  qmp: async ({ node }, [command = "", json = "{}"]) => {
    const value = node.qmp((qmp) => qmp.execute(command, JSON.parse(json)));
    return await say(value.then((returned) => JSON.stringify(returned, undefined, 2)));
  },
  reset: async ({ node }, _, values) => await say(node.reset({ sync: !values["no-sync"] })),
};

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: flags });
  const [name = "", target, ...rest] = positionals;
  const command = commands[name];
  if (target !== undefined && name === "start") return await start(target, values);
  if (target === undefined || command === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  using lab = await openLab(target);
  return await command(lab, rest, values);
}

async function start(artifactsFile: string, values: Flags): Promise<number> {
  const artifacts: LabArtifacts = JSON.parse(readFileSync(artifactsFile, "utf8"));
  const [first = 0, second = 0] = values.vfs.split(",").map(Number);
  const signal = onInterrupt();
  await using lab = await startLab({
    artifacts,
    progress: createProgress(),
    signal,
    dir: values.dir,
    numVfs: [first, second],
    memoryMb: Number(values.memory),
    withControlPlane: !values["node-only"],
  });
  process.stdout.write(
    `lab in ${lab.handle.dir}; Ctrl-C ends it\n${usage.replaceAll("DIR", lab.handle.dir)}\n`,
  );
  await once(signal, "abort");
  return 130;
}

async function say(text: Promise<string>): Promise<number> {
  process.stdout.write(`${await text}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
