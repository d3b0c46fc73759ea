// A plugin's socket whose path no kubelet could dial.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { expect, test } from "vitest";

import { createClock } from "../../../host/clock.ts";
import { createFiles } from "../../../host/files.ts";
import { PluginSocket, type PluginSocketOptions } from "../../../kubelet/plugin-socket.ts";

const files = createFiles();
const host = { files, clock: createClock(files) };

test.each([
  [107, "bound"],
  [108, "ERR_PLUGIN_SOCKET: serving the plugin's socket PATH: expected a path of at most 107 bytes, got 108"],
])("a path of %i bytes: %s", async (length, expected) => {
  const root = mkdtempSync(join(tmpdir(), "virtfn-socket-"));
  const folder = join(root, "d".repeat(60));
  mkdirSync(folder);
  const path = join(folder, "s".repeat(length - folder.length - 1));
  const handlers = {} as PluginSocketOptions["handlers"];
  const options = { path, handlers, info: undefined, onActivity: () => {}, log: pino({ enabled: false }) };
  const outcome = await PluginSocket.bind(host, options).then(
    async (socket) => {
      expect(readdirSync(folder)).toHaveLength(1);
      await socket.close();
      return "bound";
    },
    (error: Error) => `${error.name}: ${error.message.replace(path, "PATH")}`,
  );
  expect(outcome).toBe(expected);
  rmSync(root, { recursive: true });
});

test("a folder that takes no socket is named", async () => {
  const handlers = {} as PluginSocketOptions["handlers"];
  const options = {
    path: "/proc/x.sock",
    handlers,
    info: undefined,
    onActivity: () => {},
    log: pino({ enabled: false }),
  };
  await expect(PluginSocket.bind(host, options)).rejects.toThrow(
    /^serving the plugin's socket \/proc\/x.sock: /,
  );
});
