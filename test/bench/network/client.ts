// The client: sets its interface up, follows the orders of the node under test until it says "end", and puts everything back.

import { connect, type Socket } from "node:net";
import { once } from "node:events";

import { toOwnClock } from "./clock-offset.ts";
import { ControlLine } from "./control-line.ts";
import { runLoad } from "./load.ts";
import { type Answer, parseOrder } from "./message.ts";
import type { ServerAddress } from "./server-address.ts";
import { planClient } from "./node-steps.ts";
import { type Run, withSteps } from "./step.ts";

export interface ClientSetting {
  /** Of the node under test; the first that answers is taken. */
  readonly servers: readonly ServerAddress[];
  readonly defaultPort: number;
  readonly link: string;
  readonly isUp: boolean;
  /** Namespace of the link; the process's own when missing. */
  readonly netns?: string;
}

const orderTimeoutMs = 3_600_000;
const reachTimeoutMs = 60_000;

/** Runs until the node under test ends the bench. Throws when it goes away before. */
export async function runClient(run: Run, setting: ClientSetting, signal: AbortSignal): Promise<void> {
  using line = new ControlLine(await connectToFirst(setting, signal));
  const prefix = setting.netns === undefined ? [] : ["ip", "netns", "exec", setting.netns];
  const welcome = parseOrder(await line.next(orderTimeoutMs, signal));
  if (welcome.type !== "welcome") throw new Error(`expected a welcome, got ${welcome.type}`);
  const answer = (message: Answer): void => line.send(message);
  // For a node under test that is gone nobody works on.
  const wanted = AbortSignal.any([signal, line.gone]);
  await withSteps(run, planClient(setting.link, welcome.number, setting), async () => {
    answer({ type: "ready" });
    for (;;) {
      const order = parseOrder(await line.next(orderTimeoutMs, signal));
      if (order.type === "end") return;
      try {
        if (order.type === "reach") {
          // The variant before had the same addresses behind other MACs: the kernel would send there for half a minute.
          await run({ argv: [...prefix, "ip", "neighbour", "flush", "dev", setting.link] });
          await reachAll(run, prefix, order, wanted);
          answer({ type: "reached" });
        }
        if (order.type === "load") {
          const { sum, busy } = await runLoad(await toOwnClock(order, line, signal), prefix, wanted);
          answer({ type: "result", sum, busy });
        }
      } catch (error) {
        signal.throwIfAborted();
        answer({ type: "failed", reason: String(error).slice(0, 2_000) });
      }
    }
  });
}

async function connectToFirst({ servers, defaultPort }: ClientSetting, signal: AbortSignal): Promise<Socket> {
  const failures: string[] = [];
  for (const server of servers) {
    const { host, port = defaultPort } = server;
    const socket = connect(port, host);
    try {
      await once(socket, "connect", { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) });
      return socket;
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      failures.push(`${host}, port ${port}: ${String(error)}`);
    }
  }
  throw new Error(`no node under test answers: ${failures.join("; ")}`);
}

// A VF has its carrier seconds after it was moved; what does not answer in a minute has none.
async function reachAll(
  run: Run,
  prefix: readonly string[],
  { targets, port }: { readonly targets: readonly string[]; readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  const endMs = Date.now() + reachTimeoutMs;
  for (const target of targets)
    for (;;) {
      signal.throwIfAborted();
      try {
        await run({ argv: [...prefix, "timeout", "2", "bash", "-c", `< /dev/tcp/${target}/${port}`] });
        break;
      } catch (cause) {
        if (Date.now() > endMs) throw new Error(`${target}, port ${port} does not answer`, { cause });
        await Bun.sleep(200);
      }
    }
}
