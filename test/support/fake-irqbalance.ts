// An irqbalance of a fake node: a process in its /proc, and the socket with its list.

import * as fs from "node:fs";
import { join } from "node:path";

import type { FakeHost } from "./fake-host.ts";

/** `bans`: of the administrator. `isDeaf`: its socket is there, and nobody listens yet. */
interface FakeIrqBalanceOptions {
  readonly pid: number;
  readonly args?: readonly string[];
  readonly bans?: readonly number[];
  readonly isDeaf?: boolean;
}

/** What /proc/PID/status has of one of the host's root. */
export function formatHostStatus(pid: number): string {
  return `Uid:\t0\t0\t0\t0\nNSpid:\t${pid}\n`;
}

/** One that runs from now on. */
export function startIrqBalance(fake: FakeHost, options: FakeIrqBalanceOptions): FakeIrqBalance {
  return new FakeIrqBalance(fake, options);
}

/** irqbalance 1.9.2 as it is: it reads 500 bytes of a message, and a list that is told replaces the one before. */
class FakeIrqBalance {
  readonly pid: number;
  readonly path: string;
  /** What it leaves alone. */
  bans: readonly number[];
  /** How often it was made to look at all interrupts anew. */
  looks = 0;
  readonly #fake: FakeHost;

  constructor(fake: FakeHost, { pid, args = [], bans = [], isDeaf = false }: FakeIrqBalanceOptions) {
    this.#fake = fake;
    this.pid = pid;
    this.bans = bans;
    const process = join(fake.root, "proc", `${pid}`);
    fs.mkdirSync(process, { recursive: true });
    fs.writeFileSync(join(process, "comm"), "irqbalance\n");
    fs.writeFileSync(join(process, "cmdline"), `${["/usr/sbin/irqbalance", ...args].join("\0")}\0`);
    fs.writeFileSync(join(process, "stat"), `${pid} (irqbalance) S ${"0 ".repeat(18)}${pid * 100} 0\n`);
    fs.writeFileSync(join(process, "status"), formatHostStatus(pid));
    this.path = join(fake.root, `run/irqbalance/irqbalance${pid}.sock`);
    fs.mkdirSync(join(fake.root, "run/irqbalance"), { recursive: true });
    fs.writeFileSync(this.path, "");
    if (!isDeaf) this.listen();
  }

  /** One that was started deaf hears from now on. */
  listen(): void {
    this.#fake.sockets.servers.set(this.path, (message) => this.#answer(message.slice(0, 500)));
  }

  /** Ends as systemd ends it: its folder below /run goes with it. */
  end(): void {
    this.#fake.sockets.servers.delete(this.path);
    fs.rmSync(join(this.#fake.root, "run/irqbalance"), { recursive: true });
    fs.rmSync(join(this.#fake.root, "proc", `${this.pid}`), { recursive: true });
  }

  #answer(message: string): string {
    const [, list] = /^settings ban irqs (.+)$/.exec(message) ?? [];
    if (list !== undefined) {
      this.bans = list === "NONE" ? [] : list.split(" ").map(Number);
      this.looks += 1;
      return "";
    }
    if (message !== "setup") throw new Error(`irqbalance does not know ${message}`);
    const irqs = this.bans.map((irq) => `IRQ ${irq} LOAD 0 DIFF 0 CLASS 0 `);
    return `SLEEP 10 ${irqs.join("")}BANNED 00000000`;
  }
}
