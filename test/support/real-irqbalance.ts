// The real irqbalance beside a machine that is a folder: it serves its socket there, and can move no interrupt of this machine.

import * as fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { createClock } from "../../host/clock.ts";
import { createFiles } from "../../host/files.ts";
import { createLibc } from "../../host/libc.ts";
import { createLocalSockets } from "../../host/local-sockets.ts";
import { waitFor } from "./wait-for.ts";

const sockets = createLocalSockets({ libc: createLibc(), clock: createClock(createFiles()) });

/** Folder whose usr/sbin has irqbalance: this machine, or the newest Debian that the lab made; `undefined` without one. */
export function findIrqBalance(): string | undefined {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "virtfn");
  const guests = fs.existsSync(cache)
    ? fs.readdirSync(cache).filter((name) => name.startsWith("guest-"))
    : [];
  return ["/", ...guests.map((name) => join(cache, name, "root"))].find((folder) =>
    fs.existsSync(join(folder, "usr/sbin/irqbalance")),
  );
}

// Its mounts are its own: /proc/irq read-only, /usr of the folder that it is from, /run/irqbalance of the machine.
const enter = `
set -e
debian=$1; folder=$2; shift 2
mount --bind /proc/irq /proc/irq
mount -o remount,ro,bind /proc/irq
test "$debian" = / || mount --bind "$debian/usr" /usr
mount -t tmpfs none /mnt
mkdir /mnt/run
mount --bind "$folder" /mnt/run
mount -t tmpfs none /run
mkdir /run/irqbalance
mount --bind /mnt/run /run/irqbalance
exec env --default-signal=PIPE /usr/sbin/irqbalance --foreground "$@"
`;

/** Runs until it is disposed of. */
export class RealIrqBalance implements AsyncDisposable {
  readonly pid: number;
  readonly #child: Bun.Subprocess;
  readonly #socket: string;

  /** On the machine below `root`, in whose /proc it is from now on. */
  private constructor(debian: string, root: string, args: readonly string[]) {
    const folder = join(root, "run/irqbalance");
    fs.mkdirSync(folder, { recursive: true });
    this.#child = Bun.spawn(
      ["unshare", "--mount", "--propagation", "private", "sh", "-c", enter, "sh", debian, folder, ...args],
      { stdin: "ignore", stdout: "ignore", stderr: "inherit" },
    );
    this.pid = this.#child.pid;
    this.#socket = join(folder, `irqbalance${this.pid}.sock`);
    fs.mkdirSync(join(root, "proc"), { recursive: true });
    fs.symlinkSync(`/proc/${this.pid}`, join(root, `proc/${this.pid}`));
  }

  static async start(debian: string, root: string, ...args: readonly string[]): Promise<RealIrqBalance> {
    const started = new RealIrqBalance(debian, root, args);
    await waitFor(
      "irqbalance's socket",
      async () => {
        if (started.#child.exitCode !== null) throw new Error(`irqbalance ended: ${started.#child.exitCode}`);
        return started.#ask("setup").then(
          () => true,
          () => false,
        );
      },
      10_000,
    );
    return started;
  }

  /** IRQs of the list that it was told, as it prints them. */
  async bans(): Promise<readonly number[]> {
    return list(await this.#ask("setup"));
  }

  /** IRQs that it balances, in no order. */
  async balanced(): Promise<readonly number[]> {
    return list(await this.#ask("stats"));
  }

  /** As the administrator's own tool does. */
  async ban(...irqs: readonly number[]): Promise<void> {
    await this.#ask(`settings ban irqs ${irqs.join(" ")}`);
  }

  /** Stops it in its tracks, or lets it go on. */
  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(name);
  }

  /** Until somebody has asked it something that it has not begun to read: see SIGSTOP. */
  async waitForQuestion(timeoutMs: number): Promise<void> {
    // A connection that nobody accepted yet is SS_CONNECTING (02), with the path of the listener. Source: unix_seq_show.
    const waiting = new RegExp(String.raw` 02 +0 \S*/irqbalance${this.pid}\.sock$`, "m");
    const look = async (): Promise<boolean> => waiting.test(fs.readFileSync("/proc/net/unix", "utf8"));
    await waitFor("a question to irqbalance", look, timeoutMs);
  }

  /** Whether it ended by itself, as on machines with one cache domain. */
  hasEnded(): boolean {
    return this.#child.exitCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    this.#child.kill();
    await this.#child.exited;
    fs.rmSync(this.#socket, { force: true });
  }

  async #ask(message: string): Promise<string> {
    return sockets.ask(this.#socket, message, { timeoutMs: 5_000 });
  }
}

function list(answer: string): readonly number[] {
  return [...answer.matchAll(/\bIRQ (\d+) /g)].map(([, irq]) => Number(irq));
}
