// The health endpoint: addresses it takes, what it answers, and a port that is taken.
import { pino } from "pino";
import { expect, test } from "vitest";

import { ListenAddressError, parseListenAddress, serveHealth } from "../../../host/health-server.ts";
import type { HealthSources } from "../../../host/health-server.ts";

test.each([
  ["10.0.0.5:9810", { hostname: "10.0.0.5", port: 9810 }],
  [":9810", { hostname: "0.0.0.0", port: 9810 }],
  ["[fd00::1]:80", { hostname: "fd00::1", port: 80 }],
  ["node-1:0", { hostname: "node-1", port: 0 }],
  ["off", undefined],
])("%s is a listen address", (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

test.each(["", "9810", ":", ":99999", "fd00::1:80", "a:b", "[::1]"])("%j is refused", (text) => {
  expect(() => parseListenAddress(text)).toThrow(ListenAddressError);
});

test("readiness tells its reason, health and metrics answer whatever it is", async () => {
  const log = collectLog();
  const port = await freePort();
  let reason: string | undefined = "sriov/vf is not registered";
  using _server = serveHealth(
    neverWake,
    { hostname: "127.0.0.1", port },
    sources(() => reason),
    log.log,
  );

  expect(await get(port, "/readyz")).toEqual([503, "not ready: sriov/vf is not registered\n"]);
  reason = undefined;
  expect(await get(port, "/readyz")).toEqual([200, "ok\n"]);
  expect(await get(port, "/healthz")).toEqual([200, "ok\n"]);
  expect(await get(port, "/metrics")).toEqual([200, "up 1\n"]);
  expect((await get(port, "/x"))[0]).toBe(404);
});

test("an answer that fails is a short one and an error line: nothing of the sources is shown", async () => {
  const { log, lines } = collectLog();
  const port = await freePort();
  const failing = sources(() => {
    throw new Error("no such record");
  });
  using _server = serveHealth(neverWake, { hostname: "127.0.0.1", port }, failing, log);
  expect(await get(port, "/readyz")).toEqual([500, "internal error, see the log\n"]);
  expect(lines).toMatchObject([{ msg: "cannot answer a request", error: { message: "no such record" } }]);
});

test("a taken port is one error line, and served once it is free", async () => {
  const { log, lines } = collectLog();
  const wakers: (() => void)[] = [];
  const clock = { ...neverWake.clock, sleep: () => new Promise<void>((resolve) => wakers.push(resolve)) };
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("other") });
  const port = Number(other.port);
  using _server = serveHealth(
    { clock },
    { hostname: "127.0.0.1", port },
    sources(() => undefined),
    log,
  );
  expect(lines.map((line) => line.msg)).toEqual(["cannot serve health and metrics"]);

  wakers.shift()?.();
  await Promise.resolve();
  await other.stop(true);
  wakers.shift()?.();
  await Promise.resolve();
  expect(await get(port, "/healthz")).toEqual([200, "ok\n"]);
  expect(lines.map((line) => line.msg)).toEqual([
    "cannot serve health and metrics",
    "serving health and metrics",
  ]);
});

const neverWake = {
  clock: {
    nowMs: () => 0,
    monotonicMs: () => 0,
    bootId: () => "boot",
    sleep: () => new Promise<void>(() => {}),
  },
};

function sources(whyNotReady: () => string | undefined): HealthSources {
  return { whyNotReady, metrics: { contentType: "text/plain", metrics: async () => "up 1\n" } };
}

async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
  const port = Number(server.port);
  await server.stop(true);
  return port;
}

async function get(port: number, path: string): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
}

function collectLog(): { log: pino.Logger; lines: { msg: string }[] } {
  const lines: { msg: string }[] = [];
  return {
    lines,
    log: pino(
      { serializers: { error: pino.stdSerializers.err } },
      { write: (line: string) => void lines.push(JSON.parse(line) as { msg: string }) },
    ),
  };
}
