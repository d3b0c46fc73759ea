// Questions over real sockets of this machine.

import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createClock } from "../../../host/clock.ts";
import { SystemCallError } from "../../../host/errors.ts";
import { createFiles } from "../../../host/files.ts";
import { createLibc } from "../../../host/libc.ts";
import { createLocalSockets } from "../../../host/local-sockets.ts";
import { waitFor } from "../../support/wait-for.ts";

const sockets = createLocalSockets({ libc: createLibc(), clock: createClock(createFiles()) });
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "virtfn-socket-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Serves at `unix`: gives `answer` to whatever comes, or nothing ever, or closes at once. */
function serve(unix: string, answer: string | undefined): Disposable & { readonly heard: string[] } {
  const heard: string[] = [];
  const server = Bun.listen({
    unix,
    socket: {
      data(socket, bytes) {
        heard.push(bytes.toString());
        if (answer === undefined) return;
        socket.end(answer);
      },
    },
  });
  return { heard, [Symbol.dispose]: () => server.stop(true) };
}

async function errnoOf(address: string, timeoutMs = 1_000): Promise<string> {
  const error: unknown = await sockets
    .ask(address, "setup", { timeoutMs })
    .catch((reason: unknown) => reason);
  return error instanceof SystemCallError ? error.message : String(error);
}

test.each([
  ["a path", (name: string) => join(folder, name)] as const,
  ["an abstract name", (name: string) => `\0${folder}/${name}`] as const,
])("asks at %s and gives the whole answer", async (_, at) => {
  const answer = "IRQ 1 ".repeat(20_000);
  using server = serve(at("one"), answer);
  expect(await sockets.ask(at("one"), "setup", { timeoutMs: 5_000 })).toBe(answer);
  using silent = serve(at("two"), "");
  expect(await sockets.ask(at("two"), "settings", { timeoutMs: 5_000 })).toBe("");
  expect([server.heard, silent.heard]).toEqual([["setup"], ["settings"]]);
});

test("nobody there, nobody listening, a name that is too long, and no answer are told apart", async () => {
  const path = join(folder, "socket");
  expect(await errnoOf(path)).toBe(`connect(${path}) failed: ENOENT`);
  expect(await errnoOf(`\0${folder}`)).toBe(`connect(@${folder}) failed: ECONNREFUSED`);
  expect(await errnoOf(`/${"x".repeat(108)}`)).toContain("ENAMETOOLONG");
  using _server = serve(path, undefined);
  expect(await errnoOf(path, 20)).toBe(`recv(${path}) failed: ETIMEDOUT`);
});

test("who answers too late finds the asker still there", async () => {
  const path = join(folder, "socket");
  const asked: Bun.Socket[] = [];
  let ended = 0;
  using _server = {
    server: Bun.listen({
      unix: path,
      socket: { data: (socket) => void asked.push(socket), close: () => void (ended += 1) },
    }),
    [Symbol.dispose]() {
      this.server.stop(true);
    },
  };
  expect(await errnoOf(path, 20)).toContain("ETIMEDOUT");
  await waitFor("the question", () => asked.length === 1);
  let isDone = false;
  const done = sockets.whenDone().then(() => (isDone = true));
  expect([ended, asked[0]?.write("late")]).toEqual([0, 4]);
  await Bun.sleep(20);
  expect(isDone).toBe(false);
  asked[0]?.end();
  await waitFor("the end", () => ended === 1, 5_000);
  await done;
  await sockets.whenDone();
});

test("who takes long is looked at less and less often, and soon at first", async () => {
  const path = join(folder, "socket");
  using _server = serve(path, undefined);
  const sleepsMs: number[] = [];
  let nowMs = 0;
  const real = createClock(createFiles());
  const clock = {
    ...real,
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      sleepsMs.push(ms);
      nowMs += ms;
      // Who gave up stays until the other side is done.
      if (ms >= 1_000) await real.sleep(10);
    },
  };
  const patient = createLocalSockets({ libc: createLibc(), clock });
  const asked = patient.ask(path, "setup", { timeoutMs: 10_000 });
  await expect(asked).rejects.toThrow("ETIMEDOUT");
  const waits = sleepsMs.filter((ms) => ms < 1_000);
  expect([waits[0], Math.max(...waits)]).toEqual([2, 50]);
  expect(waits.length).toBeLessThan(300);
});

test("a socket is served while somebody listens; its file alone is not enough", () => {
  const path = join(folder, "socket");
  expect(sockets.isServed(path)).toBe(false);
  const server = serve(path, "");
  expect(sockets.isServed(path)).toBe(true);
  linkSync(path, join(folder, "kept"));
  server[Symbol.dispose]();
  expect([sockets.isServed(path), sockets.isServed(join(folder, "kept"))]).toEqual([false, false]);
  expect(() => sockets.isServed(`/${"x".repeat(108)}`)).toThrow("ENAMETOOLONG");
});

test("a socket whose path only its folder makes too long is seen: by way of a container's root paths are longer than the server's", () => {
  const far = join(folder, "x".repeat(100));
  mkdirSync(far);
  const near = join(folder, "near");
  symlinkSync(far, near);
  expect(sockets.isServed(join(far, "socket"))).toBe(false);
  const server = serve(join(near, "socket"), "");
  expect(sockets.isServed(join(far, "socket"))).toBe(true);
  server[Symbol.dispose]();
  expect(sockets.isServed(join(far, "socket"))).toBe(false);
  expect(sockets.isServed(join(far, "none/socket"))).toBe(false);
});
