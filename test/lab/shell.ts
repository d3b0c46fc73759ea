// Developer's tool: starts a lab and leaves it running, or uses one that runs: exec, kubectl, copy.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { execa } from "execa";
import type { LabArtifacts } from "./artifacts.ts";
import { onInterrupt } from "./interrupt.ts";
import { startLab } from "./lab.ts";
import { openLab } from "./lab-handle.ts";
import { createProgress } from "./progress.ts";

const usage = `bun test/lab/shell.ts start ARTIFACTS.json [--dir DIR] [--vfs 7,0] [--memory MB] [--node-only]   until Ctrl-C
bun test/lab/shell.ts exec DIR -- SCRIPT...         a bash script on the node, as root
bun test/lab/shell.ts kubectl DIR -- ARGUMENTS...
bun test/lab/shell.ts copy DIR FILE PATH [MODE]     into the node
bun test/lab/shell.ts qmp DIR COMMAND [JSON]        to QEMU's monitor
bun test/lab/shell.ts reset DIR [--no-sync]         of the node, until its agent answers again`;

const commands: ReadonlySet<string> = new Set(["exec", "kubectl", "copy", "qmp", "reset"]);

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      dir: { type: "string" },
      vfs: { type: "string", default: "7,0" },
      memory: { type: "string", default: "3072" },
      "node-only": { type: "boolean", default: false },
      "no-sync": { type: "boolean", default: false },
    },
  });
  const [command = "", target = "", ...rest] = positionals;
  if (command === "start") return await start(target, values);
  if (!commands.has(command) || target === "") {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  using lab = await openLab(target);
  switch (command) {
    case "exec": {
      const { exitCode, stdout, stderr } = await lab.node.exec(rest.join(" "), { timeoutMs: 600_000 });
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      return exitCode;
    }
    case "kubectl": {
      const [program, ...before] = lab.kubectl.commandLine;
      const { exitCode } = await execa(program, [...before, ...rest], { stdio: "inherit", reject: false });
      return exitCode ?? 1;
    }
    case "copy":
      await lab.node.copyIn(rest[0] ?? "", rest[1] ?? "", rest[2]);
      return 0;
    case "qmp": {
      const value = await lab.node.qmp((qmp) => qmp.execute(rest[0] ?? "", JSON.parse(rest[1] ?? "{}")));
      process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
      return 0;
    }
    default:
      process.stdout.write(`${await lab.node.reset({ sync: !values["no-sync"] })}\n`);
      return 0;
  }
}

interface StartFlags {
  readonly dir?: string | undefined;
  readonly vfs: string;
  readonly memory: string;
  readonly "node-only": boolean;
}

async function start(artifactsFile: string, flags: StartFlags): Promise<number> {
  const artifacts: LabArtifacts = JSON.parse(readFileSync(artifactsFile, "utf8"));
  const [first = 0, second = 0] = flags.vfs.split(",").map(Number);
  const interrupt = onInterrupt();
  await using lab = await startLab({
    artifacts,
    progress: createProgress(),
    signal: interrupt,
    dir: flags.dir,
    numVfs: [first, second],
    memoryMb: Number(flags.memory),
    withControlPlane: !flags["node-only"],
  });
  process.stdout.write(
    `lab in ${lab.handle.dir}; Ctrl-C ends it\n${usage.replaceAll("DIR", lab.handle.dir)}\n`,
  );
  await once(interrupt, "abort");
  return 130;
}

process.exitCode = await main(process.argv.slice(2));
