// The life of a daemon as a process: how it ends, with which code, and what it logs last.
import { join } from "node:path";
import { expect, test } from "vitest";

import type { LogLine } from "../../support/deviceplugin-process.ts";

const hang = "await new Promise(() => {});";
const obey = `await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));`;

test("a body that returns ends with 0", async () => {
  await using daemon = startDaemon("");
  expect(await daemon.exited).toBe(0);
  expect(daemon.lines.at(-1)).toMatchObject({ level: "info", msg: "stopped", program: "test" });
});

test("a body that fails ends with 1, and the error is logged with its code and cause", async () => {
  await using daemon = startDaemon(
    `throw Object.assign(new Error("no disk", { cause: new Error("EIO") }), { code: "ERR_DISK" });`,
  );
  expect(await daemon.exited).toBe(1);
  expect(daemon.lines.at(-1)).toMatchObject({
    level: "error",
    msg: "stopped by an error",
    error: { code: "ERR_DISK", message: "no disk", cause: { message: "EIO" } },
  });
});

test.each(["SIGTERM", "SIGINT"] as const)("%s aborts the body, which ends with 0", async (signal) => {
  await using daemon = startDaemon(obey);
  await daemon.started;
  daemon.kill(signal);
  expect(await daemon.exited).toBe(0);
  expect(daemon.lines.map(({ msg }) => msg)).toEqual(["started", "stopping", "stopped"]);
});

test("a body that does not end in time after the signal is cut off", async () => {
  await using daemon = startDaemon(hang, "instant");
  await daemon.started;
  daemon.kill("SIGTERM");
  expect(await daemon.exited).toBe(1);
  expect(daemon.lines.at(-1)).toMatchObject({
    error: { message: "did not stop within 10000 ms of the signal" },
  });
});

test("a second signal ends the process at once", async () => {
  await using daemon = startDaemon(hang);
  await daemon.started;
  daemon.kill("SIGTERM");
  await daemon.waitForLines(2);
  daemon.kill("SIGTERM");
  expect(await daemon.exited).toBe(1);
});

interface Daemon extends AsyncDisposable {
  readonly lines: readonly LogLine[];
  readonly started: Promise<void>;
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
  waitForLines(count: number): Promise<void>;
}

/** A daemon with this body; with the clock `instant` no sleep takes any time. */
function startDaemon(body: string, clock: "real" | "instant" = "real"): Daemon {
  const host = join(import.meta.dirname, "../../../host");
  const script = `
    import { runDaemon } from "${host}/daemon.ts";
    import { createHost } from "${host}/create-host.ts";
    const real = createHost().clock;
    const clock = ${clock === "real" ? "real" : "{ ...real, sleep: async () => {} }"};
    const metrics = { contentType: "text/plain", metrics: async () => "" };
    const options = { name: "test", listen: undefined, whyNotReady: () => undefined, metrics };
    process.exit(await runDaemon({ clock }, options, async ({ signal, log }) => { log.info("started"); ${body} }));`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines: LogLine[] = [];
  let onLine = Promise.withResolvers<void>();
  const collected = (async () => {
    let rest = "";
    for await (const chunk of child.stdout) {
      const parts = (rest + new TextDecoder().decode(chunk)).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts.map((line) => JSON.parse(line) as LogLine));
      onLine.resolve();
      onLine = Promise.withResolvers();
    }
  })();
  const waitForLines = async (count: number): Promise<void> => {
    while (lines.length < count) await onLine.promise;
  };
  return {
    lines,
    started: waitForLines(1),
    exited: collected.then(() => child.exited),
    kill: (signal) => child.kill(signal),
    waitForLines,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
