// Stdin of a process of its own, whole, whatever kind of file it is.

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const stdinModule = resolve(import.meta.dirname, "../../../host/stdin.ts");
const script = `import { readStdin } from ${JSON.stringify(stdinModule)};
console.log(JSON.stringify(await readStdin()));`;
/** Prints the error's message. */
function catching(program: string): string {
  return program.replace("await readStdin()", "await readStdin().catch(({ message }) => message)");
}
/** Takes a pipe that does not block as its stdin, which Bun.spawn would let block, and says when there is nothing in it. */
const patientScript = `import * as fs from "node:fs";
fs.closeSync(0);
fs.openSync(process.argv[1], fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
const { stdin } = Bun;
const read = stdin.stream.bind(stdin);
stdin.stream = () => (console.error("nothing yet"), read());
${script}`;
/** Has the quick reader begin, as a call does that may be answered quickly. */
function begun(program: string): string {
  const reader = JSON.stringify(resolve(import.meta.dirname, "../../../host/stdin-start.ts"));
  const start = `(await import(${reader})).readStdinStart().bytes`;
  return program.replace("await readStdin()", `await readStdin(${start})`);
}
const text = `{"name": "ä€", "long": "${"ü".repeat(100_000)}"}`;

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync("/tmp/virtfn-stdin-");
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function start(stdin: number | Blob): Bun.Subprocess<number | Blob, "pipe", "inherit"> {
  return Bun.spawn([process.execPath, "-e", script], { stdin, stdout: "pipe" });
}

function startCatching(stdin: number): Bun.Subprocess<number, "pipe", "inherit"> {
  return Bun.spawn([process.execPath, "-e", catching(script)], { stdin, stdout: "pipe" });
}

it("reads a pipe to its end, characters of several bytes across its pieces too", async () => {
  expect(JSON.parse(await start(new Blob([text])).stdout.text())).toBe(text);
});

it("goes on where the quick reader stopped: at its most, or where there was nothing yet", async () => {
  const long = Bun.spawn([process.execPath, "-e", begun(script)], {
    stdin: new Blob([text]),
    stdout: "pipe",
  });
  expect(JSON.parse(await long.stdout.text())).toBe(text);
  const path = join(folder, "pipe");
  spawnSync("mkfifo", [path]);
  const writer = fs.openSync(path, fs.constants.O_RDWR);
  fs.writeSync(writer, text.slice(0, 9));
  const command = [process.execPath, "-e", begun(patientScript), path];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const said = await child.stderr.getReader().read();
  expect(new TextDecoder().decode(said.value)).toBe("nothing yet\n");
  fs.writeSync(writer, text.slice(9, 50));
  fs.closeSync(writer);
  expect(JSON.parse(await child.stdout.text())).toBe(text.slice(0, 50));
});

it("reads a file, and nothing", async () => {
  const path = join(folder, "config.json");
  fs.writeFileSync(path, text);
  const [file, nothing] = [fs.openSync(path, "r"), fs.openSync("/dev/null", "r")];
  expect(JSON.parse(await start(file).stdout.text())).toBe(text);
  expect(JSON.parse(await start(nothing).stdout.text())).toBe("");
  for (const fd of [file, nothing]) fs.closeSync(fd);
});

it("waits for what comes later through a pipe that does not block", async () => {
  const path = join(folder, "pipe");
  spawnSync("mkfifo", [path]);
  const writer = fs.openSync(path, fs.constants.O_RDWR);
  const child = Bun.spawn([process.execPath, "-e", patientScript, path], { stdout: "pipe", stderr: "pipe" });
  const said = await child.stderr.getReader().read();
  expect(new TextDecoder().decode(said.value)).toBe("nothing yet\n");
  fs.writeSync(writer, text.slice(0, 9));
  fs.writeSync(writer, text.slice(9, 50));
  fs.closeSync(writer);
  expect(JSON.parse(await child.stdout.text())).toBe(text.slice(0, 50));
});

it("says what keeps it from being read: a folder, or what was opened for writing alone", async () => {
  const [directory, writable] = [fs.openSync(folder, "r"), fs.openSync(join(folder, "log"), "w")];
  expect(JSON.parse(await startCatching(directory).stdout.text())).toBe("read(stdin) failed: EISDIR");
  expect(JSON.parse(await startCatching(writable).stdout.text())).toBe("read(stdin) failed: EBADF");
  for (const fd of [directory, writable]) fs.closeSync(fd);
});

const tooMuch = "read(stdin, of more than 67108864 bytes) failed: EFBIG";

it("takes no more than of a file, where there is no end", async () => {
  const endless = fs.openSync("/dev/zero", "r");
  expect(JSON.parse(await startCatching(endless).stdout.text())).toBe(tooMuch);
  fs.closeSync(endless);
});

it("takes no more than of a file through a pipe that does not block", async () => {
  const path = join(folder, "pipe");
  spawnSync("mkfifo", [path]);
  const holder = fs.openSync(path, fs.constants.O_RDWR);
  const command = [process.execPath, "-e", catching(patientScript), path];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  await child.stderr.getReader().read();
  const writer = Bun.spawn(["sh", "-c", 'exec cat /dev/zero > "$1"', "sh", path]);
  expect(JSON.parse(await child.stdout.text())).toBe(tooMuch);
  expect(await child.exited).toBe(0);
  fs.closeSync(holder);
  await writer.exited;
});
