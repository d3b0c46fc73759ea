// The emulated node of a running lab, as tests and the demo drive it: scripts and files inside, faults from outside.
import { Agent, type ExecOptions } from "./agent.ts";
import type { ExecResult } from "./agent-line.ts";
import { Qmp } from "./qmp.ts";
import { sendFile } from "./send-file.ts";
import { waitUntil, WaitTimeoutError } from "../wait-until.ts";

export interface LabNodeOptions {
  readonly netns: string;
  /** QEMU's end of the agent's port, or a lab's relay to it. */
  readonly agentSocket: string;
  readonly qmpSocket: string;
}

const bootHungAfterMs = 75_000;
const bootTimeoutMs = 300_000;

export class LabNode implements Disposable {
  readonly #options: LabNodeOptions;
  readonly #agent: Agent;

  private constructor(options: LabNodeOptions, agent: Agent) {
    this.#options = options;
    this.#agent = agent;
  }

  static async connect(options: LabNodeOptions): Promise<LabNode> {
    return new LabNode(options, await Agent.connect(options.agentSocket));
  }

  get agent(): Agent {
    return this.#agent;
  }

  /** Runs a bash script in the guest as root; gives its exit code and output. Throws AgentTimeoutError. */
  async exec(script: string, options?: ExecOptions): Promise<ExecResult> {
    return await this.#agent.exec(script, options);
  }

  /** Output of a bash script in the guest, without the last newline. Throws with script and stderr when it fails. */
  async run(script: string, options?: ExecOptions): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#agent.exec(script, options);
    if (exitCode === 0) return stdout.replace(/\n$/, "");
    throw new Error(
      `in the guest, exit code ${exitCode}: ${script.trim().slice(0, 300)}\n${stderr.trim() || stdout.trim()}`,
    );
  }

  /** Copies a file of this machine into the guest, by temporary file and rename. `mode` as chmod has it. */
  async copyIn(file: string, path: string, mode = "0644"): Promise<void> {
    await sendFile({
      netns: this.#options.netns,
      file,
      receive: async (address) => {
        await this.run(
          `set -e; mkdir -p "$(dirname '${path}')"
        cat < /dev/tcp/${address.host}/${address.port} > '${path}.part'
        chmod ${mode} '${path}.part'; mv -f '${path}.part' '${path}'`,
          { timeoutMs: 120_000 },
        );
      },
    });
  }

  /**
   * The guest's boot id, as soon as its agent answers. Under emulation a kernel now and then loses a timer on its way up and
   * hangs ("rcu_preempt kthread timer wakeup didn't happen"): after `hungAfterMs` its reset button is pressed, once.
   */
  async waitForBoot({
    hungAfterMs = bootHungAfterMs,
    timeoutMs = bootTimeoutMs,
    signal,
  }: {
    readonly hungAfterMs?: number;
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
  } = {}): Promise<string> {
    return await this.#waitForBootId(() => this.bootId(), { hungAfterMs, timeoutMs, signal });
  }

  async #waitForBootId(
    look: () => Promise<string>,
    {
      hungAfterMs,
      timeoutMs,
      signal,
    }: {
      readonly hungAfterMs: number;
      readonly timeoutMs: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<string> {
    const wait = async (limitMs: number): Promise<string> =>
      await waitUntil("the node's boot", look, { timeoutMs: limitMs, signal });
    try {
      return await wait(hungAfterMs);
    } catch (error) {
      if (!(error instanceof WaitTimeoutError)) throw error;
      process.stderr.write(`the node does not boot (${error.message}): reset\n`);
      await this.qmp((qmp) => qmp.execute("system_reset"));
      return await wait(timeoutMs);
    }
  }

  async bootId(): Promise<string> {
    return await this.run("cat /proc/sys/kernel/random/boot_id", { timeoutMs: 4000 });
  }

  /** Runs `use` with QEMU's monitor (set_link, device_del, device_add, ...). */
  async qmp<T>(use: (qmp: Qmp) => Promise<T>): Promise<T> {
    using qmp = await Qmp.connect(this.#options.qmpSocket);
    return await use(qmp);
  }

  /** Presses the node's reset button, after a `sync` in the guest or without, and gives the new boot id once the agent answers again; a boot that hangs is reset as in waitForBoot. */
  async reset(options: { readonly sync: boolean; readonly timeoutMs?: number }): Promise<string> {
    const before = await this.bootId();
    if (options.sync) await this.run("sync");
    await this.qmp(async (qmp) => {
      const reset = qmp.waitForEvent("RESET");
      await Promise.all([reset, qmp.execute("system_reset")]);
    });
    const bootIdAfter = async (): Promise<string> => {
      const now = await this.bootId();
      if (now === before) throw new Error("still the boot before the reset");
      return now;
    };
    return await this.#waitForBootId(bootIdAfter, {
      hungAfterMs: bootHungAfterMs,
      timeoutMs: options.timeoutMs ?? bootTimeoutMs,
    });
  }

  [Symbol.dispose](): void {
    this.#agent[Symbol.dispose]();
  }
}
