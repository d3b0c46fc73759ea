// The list of interrupts that a running irqbalance leaves alone, asked for and replaced over its socket.

import { SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { IrqBalanceError, IrqBalanceUnheardError } from "./errors.ts";
import { listAddresses } from "./process.ts";

type Caller = Pick<Host, "paths" | "localSockets">;

/** It answers between two of its looks at the machine, which take their time with policy scripts. */
const timeoutMs = 10_000;

/** irqbalance reads so many bytes, bans what a cut number says, and drops the rest. Source: sock_handle of irqbalance.c. */
const longestMessageBytes = 499;

/** IRQs that it was told to leave alone at its start or since, ascending; not those of policy scripts. Throws ERR_IRQBALANCE. */
export async function readBans(host: Caller, pid: number): Promise<readonly number[]> {
  return parseSetup(await ask(host, pid, "setup"));
}

/** Replaces the list; irqbalance then looks at all interrupts anew, policy scripts included. Throws ERR_IRQBALANCE. */
export async function writeBans(host: Caller, pid: number, irqs: readonly number[]): Promise<void> {
  const message = formatBans(irqs);
  if (message.length > longestMessageBytes)
    throw new IrqBalanceError(`its socket takes ${longestMessageBytes} bytes, got ${message.length}`);
  await ask(host, pid, message);
}

/** The first of `more`, in their order, that fit into one message with all of `irqs`. */
export function takeFitting(irqs: readonly number[], more: readonly number[]): readonly number[] {
  let length = formatBans(irqs).length;
  return more.filter((irq) => {
    length += ` ${irq}`.length;
    return length <= longestMessageBytes;
  });
}

function formatBans(irqs: readonly number[]): string {
  return `settings ban irqs ${irqs.length === 0 ? "NONE" : irqs.join(" ")}`;
}

/** What `setup` answers: "SLEEP 10 IRQ 41 LOAD 0 DIFF 0 CLASS 0 ... BANNED 00000000". Source: irqbalance(1), API. */
export function parseSetup(text: string): readonly number[] {
  if (!/^SLEEP \d+ /.test(text))
    throw new IrqBalanceError(`expected its settings (SLEEP ...), got ${JSON.stringify(text.slice(0, 60))}`);
  const irqs = [...text.matchAll(/\bIRQ (\d+) LOAD /g)].map(([, irq]) => Number(irq));
  return irqs.toSorted((a, b) => a - b);
}

async function ask(host: Caller, pid: number, message: string): Promise<string> {
  let missing: SystemCallError | undefined;
  for (const address of listAddresses(host, pid)) {
    try {
      return await host.localSockets.ask(address, message, { timeoutMs });
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      if (error.errno !== "ENOENT" && error.errno !== "ECONNREFUSED")
        throw new IrqBalanceError(error.message, { cause: error });
      missing ??= error;
    }
  }
  throw new IrqBalanceUnheardError(`process ${pid} cannot be asked: ${missing?.message ?? "no address"}`, {
    cause: missing,
  });
}
