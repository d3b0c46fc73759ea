// The entry of `virtfn`: hands the command line to the program it names.
import { dirname, join } from "node:path";

import { createHost } from "../host/create-host.ts";
import { createLibc } from "../host/libc.ts";
import { createUevents } from "../host/uevent.ts";
import { type Commands, runCommandLine } from "./command-line.ts";
import { escapeControls } from "./table.ts";
import { version } from "./version.ts";

const commands: Commands = {
  deviceplugin: {
    summary: "offers the node's SR-IOV virtual functions to the kubelet",
    run: async (args) => {
      const { run } = await import("../deviceplugin/main.ts");
      return run({ ...createHost(), uevents: createUevents(createLibc()) }, args);
    },
  },
  tuning: {
    summary: "keeps the interrupts of VFs in pods on CPUs near them, and sets their RPS and XPS masks",
    run: async (args) => {
      const { run } = await import("../tuning/main.ts");
      // In a container that shares the host's PID namespace, and on the host itself: the root of the host.
      const host = { ...createHost({ hostRoot: "/proc/1/root" }), uevents: createUevents(createLibc()) };
      return run(host, args, printEscaped);
    },
  },
  "install-cni": {
    summary: "puts the CNI executable on the host and chains it behind the cluster's own CNI",
    run: async (args) => {
      const { runInstallCni } = await import("./install-cni/main.ts");
      return runInstallCni(createHost(), args, join(dirname(process.execPath), "virtfn-cni"));
    },
  },
  status: {
    summary: "shows PFs and VFs: resource, health, pod, settings, CPUs",
    run: async (args) => {
      const { runStatus } = await import("./status/main.ts");
      return runStatus(createHost({ hostRoot: "/proc/1/root" }), args, {
        print,
        isTerminal: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
        signal: new AbortController().signal,
      });
    },
  },
  doctor: {
    summary: "checks the node, and tells what is wrong and how to put it right",
    run: async (args) => {
      const { runDoctor } = await import("./doctor/main.ts");
      const { readPods } = await import("./doctor/kubelet-facts.ts");
      return runDoctor(createHost({ hostRoot: "/proc/1/root" }), args, {
        listPods: readPods,
        print,
        isTerminal: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
      });
    },
  },
  explain: {
    summary: "follows a pod to its VFs, or to where that stopped and why",
    run: async (args) => {
      const { runExplain } = await import("./explain/main.ts");
      const { readPods } = await import("./doctor/kubelet-facts.ts");
      return runExplain(createHost({ hostRoot: "/proc/1/root" }), args, {
        listPods: readPods,
        print,
        isTerminal: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
      });
    },
  },
  provision: {
    summary: "makes the VFs of the node's PFs as the configuration asks for",
    run: async (args) => {
      const { runProvision } = await import("./provision/main.ts");
      const { readPodAllocations } = await import("./node/pod-allocations.ts");
      const host = createHost();
      const listPods = async (): ReturnType<typeof readPodAllocations> => readPodAllocations(host, []);
      return runProvision(host, args, { print: printEscaped, listPods });
    },
  },
  repair: {
    summary: "brings home VFs of pods that are gone, and tells what every VF in use is held by",
    run: async (args) => {
      const { runRepair } = await import("./repair/main.ts");
      return runRepair(createHost({ hostRoot: "/proc/1/root" }), args, printEscaped);
    },
  },
  uninstall: {
    summary: "takes virtfn off the node, when no pod has a VF any more",
    run: async (args) => {
      const { runUninstall } = await import("./uninstall/main.ts");
      // The host's own files, also from a container that shares its processes and has none of them mounted.
      return runUninstall(createHost({ root: "/proc/1/root" }), args, printEscaped);
    },
  },
  validate: {
    summary: "checks configuration files, and tells what is wrong in which line",
    run: async (args) => {
      const { runValidate } = await import("./validate/main.ts");
      const { readStdin } = await import("../host/stdin.ts");
      return runValidate(createHost(), args, {
        folder: process.cwd(),
        print,
        readStdin,
      });
    },
  },
};

/** Of a shell for a command that SIGPIPE (13) ended. */
const exitUnread = 128 + 13;

const exitCode = await runCommandLine(commands, version, process.argv.slice(2), console);
// What a slow reader has not taken yet would be lost by the exit.
await new Promise<void>((resolve) => {
  process.stdout.end(() => resolve());
});
process.exit(exitCode);

/** Writes to stdout, whose reader may have had enough. */
function print(text: string): void {
  const { stdout } = process;
  if (stdout.listenerCount("error") === 0) stdout.on("error", endUnread);
  stdout.write(text);
}

/** Of commands that have no colours: what pods and configurations name may have anything in it. */
function printEscaped(text: string): void {
  print(escapeControls(text));
}

/** Without a word, as SIGPIPE ends others: this runtime ignores that signal. */
function endUnread({ code, message }: NodeJS.ErrnoException): void {
  if (code === "EPIPE") process.exit(exitUnread);
  console.error(`virtfn: cannot write to stdout: ${code ?? message}`);
  process.exit(1);
}
