// QEMU's monitor protocol, line by line and against a socket that speaks it.
import { mkdtempSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readLines } from "../../../lab/node/line-socket.ts";
import { formatQmpCommand, parseQmpLine, Qmp } from "../../../lab/node/qmp.ts";

test.each([
  ['{"QMP": {"version": {}, "capabilities": ["oob"]}}', { kind: "greeting" }],
  ['{"return": {}, "id": 3}', { kind: "return", id: 3, value: {} }],
  [
    '{"id": 4, "error": {"class": "GenericError", "desc": "Device not found"}}',
    { kind: "error", id: 4, text: "GenericError: Device not found" },
  ],
  [
    '{"timestamp": {"seconds": 1}, "event": "RESET", "data": {"guest": true}}',
    { kind: "event", name: "RESET", data: { guest: true } },
  ],
  ["", undefined],
  ["no json", undefined],
  ["[1]", undefined],
])("%s", (line, expected) => {
  expect(parseQmpLine(line)).toEqual(expected);
});

test("a command carries its id and arguments", () => {
  expect(formatQmpCommand(2, "set_link", { name: "pf0", up: false })).toBe(
    '{"execute":"set_link","id":2,"arguments":{"name":"pf0","up":false}}',
  );
});

test("the client negotiates, runs commands, sees events and reports refusals with QEMU's words", async () => {
  const asked: string[] = [];
  const path = await startMonitor((command, socket) => {
    asked.push(command.execute);
    if (command.execute === "bad")
      socket.write(`{"id":${command.id},"error":{"class":"CommandNotFound","desc":"unknown"}}\r\n`);
    else
      socket.write(
        `{"event":"RESET","data":{"guest":false}}\r\n{"return":{"ran":"${command.execute}"},"id":${command.id}}\r\n`,
      );
  });
  using qmp = await Qmp.connect(path);
  const event = qmp.waitForEvent("RESET");
  expect(await qmp.execute("system_reset")).toEqual({ ran: "system_reset" });
  expect(await event).toEqual({ guest: false });
  await expect(qmp.execute("bad", { a: 1 })).rejects.toThrow(
    'QEMU refused bad {"a":1}: CommandNotFound: unknown',
  );
  expect(asked).toEqual(["qmp_capabilities", "system_reset", "bad"]);
});

test("an event that does not come is an error that names it", async () => {
  const path = await startMonitor((command, socket) => socket.write(`{"return":{},"id":${command.id}}\r\n`));
  using qmp = await Qmp.connect(path);
  await expect(qmp.waitForEvent("DEVICE_DELETED", 20)).rejects.toThrow(
    "no event DEVICE_DELETED within 20 ms",
  );
});

async function startMonitor(
  onCommand: (command: { readonly execute: string; readonly id: number }, socket: Socket) => void,
): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), "qmp-")), "qmp");
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write('{"QMP": {"version": {}, "capabilities": []}}\r\n');
    readLines(socket, (line) => onCommand(JSON.parse(line), socket));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}
