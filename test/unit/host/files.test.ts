// Files against real temporary folders.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createFiles } from "../../../host/files.ts";

const files = createFiles();
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "virtfn-files-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

describe("reading", () => {
  it("gives undefined for a missing file, also below a file that is no folder", () => {
    fs.writeFileSync(join(folder, "plain"), "x");
    expect(files.readText(join(folder, "none"))).toBeUndefined();
    expect(files.readText(join(folder, "plain/none"))).toBeUndefined();
    expect(files.list(join(folder, "none"))).toBeUndefined();
    expect(files.stat(join(folder, "none"))).toBeUndefined();
    expect(files.readLink(join(folder, "none"))).toBeUndefined();
    expect(files.realPath(join(folder, "none"))).toBeUndefined();
    expect(files.remove(join(folder, "none"))).toBe(false);
  });

  it("gives text untrimmed and names sorted", () => {
    fs.writeFileSync(join(folder, "b"), "2\n");
    fs.writeFileSync(join(folder, "a"), "1\n");
    expect(files.readText(join(folder, "b"))).toBe("2\n");
    expect(files.list(folder)).toEqual(["a", "b"]);
  });

  it("reads procfs and sysfs files, whose size is not their length", () => {
    expect(files.readText("/proc/self/comm")).toMatch(/\n$/);
    expect(files.readText("/sys/class/net/lo/mtu")).toBe("65536\n");
  });

  it("gives what an open file holds now", () => {
    const path = join(folder, "value");
    expect(files.open(path)).toBeUndefined();
    fs.writeFileSync(path, "0-3\n");
    using file = files.open(path);
    expect(file?.readText()).toBe("0-3\n");
    fs.writeFileSync(path, "12\n");
    expect([file?.readText(), file?.readText()]).toEqual(["12\n", "12\n"]);
    fs.writeFileSync(path, "x".repeat(5000));
    expect(file?.readText()).toBe("x".repeat(4096));
  });

  it("gives what an open file of procfs holds now, also where others are read between", () => {
    using hostname = files.open("/proc/sys/kernel/hostname");
    using comm = files.open("/proc/self/comm");
    const expected = [files.readText("/proc/sys/kernel/hostname"), files.readText("/proc/self/comm")];
    for (const _ of [1, 2]) expect([hostname?.readText(), comm?.readText()]).toEqual(expected);
  });

  it("reads no file after it was closed, and opens none that readText refuses", () => {
    const path = join(folder, "value");
    fs.writeFileSync(path, "1\n");
    const file = files.open(path);
    for (const _ of [1, 2]) file?.[Symbol.dispose]();
    expect(() => file?.readText()).toThrow(`read(${path}) failed: EBADF`);
    expect(() => files.open("/dev/null")).toThrow("read(/dev/null, which is no regular file) failed: EINVAL");
  });

  it("names call, path and errno of anything else", () => {
    expect(() => files.readText(folder)).toThrow(`read(${folder}) failed: EISDIR`);
    expect(() => files.list(join(folder, "\0"))).toThrow(/ERR_SYSTEM_CALL|readdir/);
    fs.writeFileSync(join(folder, "plain"), "x");
    expect(() => files.makeFolder(join(folder, "plain"))).toThrow(/^mkdir\(.*plain\) failed: EEXIST$/);
  });
});

describe("reading what is no file to read whole", () => {
  it("refuses a pipe instead of waiting for what is written into it", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    // A reader that waited would get this text.
    const writer = Bun.spawn(["sh", "-c", `exec 2>&-; echo text > "$0"`, pipe]);
    expect(() => files.readText(pipe)).toThrow(`read(${pipe}, which is no regular file) failed: EINVAL`);
    writer.kill("SIGKILL");
    await writer.exited;
  });

  it("refuses a device, and a socket", async () => {
    expect(() => files.readText("/dev/null")).toThrow(
      "read(/dev/null, which is no regular file) failed: EINVAL",
    );
    const socket = join(folder, "sock");
    const server = createServer().listen(socket);
    await once(server, "listening");
    expect(() => files.readText(socket)).toThrow(`read(${socket}) failed: ENXIO`);
    server.close();
  });

  it("refuses a file of more than 64 MiB without reading it", () => {
    const huge = join(folder, "huge");
    fs.writeFileSync(huge, "x");
    fs.truncateSync(huge, 2 ** 27);
    expect(() => files.readText(huge)).toThrow(
      `read(${huge}, of ${2 ** 27} bytes, at most 67108864) failed: EFBIG`,
    );
    fs.truncateSync(huge, 0);
    expect(files.readText(huge)).toBe("");
  });
});

describe("stat", () => {
  it("tells kinds apart and follows links unless told not to", async () => {
    fs.writeFileSync(join(folder, "plain"), "four", { mode: 0o640 });
    fs.symlinkSync("plain", join(folder, "link"));
    const server = createServer().listen(join(folder, "sock"));
    await once(server, "listening");
    const plain = files.stat(join(folder, "plain"));
    expect(plain).toMatchObject({ kind: "file", sizeBytes: 4, mode: 0o640 });
    expect(files.stat(join(folder, "link"))?.inode).toBe(plain?.inode);
    expect(files.stat(join(folder, "link"), { noFollow: true })?.kind).toBe("symlink");
    expect(files.stat(folder)?.kind).toBe("directory");
    expect(files.stat(join(folder, "sock"))?.kind).toBe("socket");
    expect(files.stat("/dev/null")?.kind).toBe("other");
    server.close();
    await once(server, "close");
  });

  it("reads a link's text, and undefined of what is no link", () => {
    fs.symlinkSync("../some/where", join(folder, "link"));
    expect(files.readLink(join(folder, "link"))).toBe("../some/where");
    expect(files.readLink(folder)).toBeUndefined();
  });
});

describe("writing", () => {
  it("replaces a file whole, with its mode, makes its folder private, and leaves no temporary file", () => {
    const path = join(folder, "state/new/record.json");
    files.writeAtomic(path, "first");
    files.writeAtomic(path, "second", 0o644);
    expect(fs.readFileSync(path, "utf8")).toBe("second");
    expect(fs.statSync(path).mode & 0o777).toBe(0o644);
    expect(fs.statSync(join(folder, "state")).mode & 0o777).toBe(0o700);
    expect(fs.readdirSync(join(folder, "state/new"))).toEqual(["record.json"]);
  });

  it("gives the mode it is told, whatever the umask", () => {
    files.writeAtomic(join(folder, "wide"), "x", 0o666);
    files.copyFile(join(folder, "wide"), join(folder, "program"), 0o777);
    expect(files.stat(join(folder, "wide"))?.mode).toBe(0o666);
    expect(files.stat(join(folder, "program"))?.mode).toBe(0o777);
  });

  it("copies a file over another one, and tells same content from different", () => {
    const [from, to] = [join(folder, "from"), join(folder, "new/to")];
    fs.writeFileSync(from, Buffer.alloc(2_500_000, 7));
    expect(files.isSameContent(from, to)).toBe(false);
    files.copyFile(from, to, 0o755);
    expect(files.isSameContent(from, to)).toBe(true);
    const changed = fs.readFileSync(from).fill(8, 2_400_000, 2_400_001);
    fs.writeFileSync(to, changed);
    expect(files.isSameContent(from, to)).toBe(false);
    expect(() => files.copyFile(join(folder, "none"), to, 0o755)).toThrow(/ENOENT/);
    expect(fs.readFileSync(to).equals(changed)).toBe(true);
    expect(fs.readdirSync(join(folder, "new"))).toEqual(["to"]);
  });

  it("reads a range, less at the end, nothing of a missing file", () => {
    fs.writeFileSync(join(folder, "ten"), "0123456789");
    expect(files.readBytes(join(folder, "ten"), 8, 4)).toEqual(new Uint8Array([0x38, 0x39]));
    expect(files.readBytes(join(folder, "ten"), 20, 4)).toEqual(new Uint8Array());
    expect(files.readBytes(join(folder, "none"), 0, 4)).toBeUndefined();
  });

  it("removes what writers that were killed left of the same file, and nothing of one that is at work", () => {
    const longAgo = new Date(Date.now() - 3_600_000);
    const left = [".record.json.7.0a1b2c3d.tmp", ".other.json.7.0a1b2c3d.tmp", ".record.json.tmp", "x.tmp"];
    for (const name of [...left, ".record.json.8.0a1b2c3d.tmp"]) fs.writeFileSync(join(folder, name), "");
    for (const name of left) fs.utimesSync(join(folder, name), longAgo, longAgo);
    files.writeAtomic(join(folder, "record.json"), "{}");
    expect(files.list(folder)).toEqual([
      ".other.json.7.0a1b2c3d.tmp",
      ".record.json.8.0a1b2c3d.tmp",
      ".record.json.tmp",
      "record.json",
      "x.tmp",
    ]);
  });

  it("leaves no temporary file when the rename fails", () => {
    fs.mkdirSync(join(folder, "taken"));
    expect(() => files.writeAtomic(join(folder, "taken"), "x")).toThrow(/^rename\(.*failed: EISDIR$/);
    expect(fs.readdirSync(folder)).toEqual(["taken"]);
  });

  it("writes to an existing file only, and says what was refused", () => {
    expect(() => files.writeText(join(folder, "none"), "1")).toThrow(
      `write(${join(folder, "none")}, "1") failed: ENOENT`,
    );
    fs.writeFileSync(join(folder, "plain"), "0");
    files.writeText(join(folder, "plain"), "1");
    expect(fs.readFileSync(join(folder, "plain"), "utf8")).toBe("1");
  });

  it("renames and removes", () => {
    fs.writeFileSync(join(folder, "a"), "x");
    files.rename(join(folder, "a"), join(folder, "b"));
    expect(files.remove(join(folder, "b"))).toBe(true);
    expect(() => files.rename(join(folder, "a"), join(folder, "b"))).toThrow(/ENOENT/);
  });
});

describe("watch", () => {
  it("tells the name of what comes and goes, until disposed", async () => {
    const seen = new Set<string>();
    const bothSeen = Promise.withResolvers<void>();
    const watching = files.watch(folder, ({ name }) => {
      seen.add(name);
      if (seen.has("one.json") && seen.has("two.json")) bothSeen.resolve();
    });
    files.writeAtomic(join(folder, "one.json"), "1");
    fs.writeFileSync(join(folder, "two.json"), "2");
    await bothSeen.promise;
    watching[Symbol.dispose]();
    expect([...seen]).toEqual(expect.arrayContaining(["one.json", "two.json"]));
  });

  it("tells of a removal that follows at once", async () => {
    const gone = Promise.withResolvers<void>();
    const path = join(folder, "brief.json");
    const watching = files.watch(folder, ({ name }) => {
      if (name !== "brief.json") return;
      if (!files.remove(path)) gone.resolve();
    });
    files.writeAtomic(path, "1");
    await gone.promise;
    watching[Symbol.dispose]();
    expect(files.stat(path)).toBeUndefined();
  });

  it("refuses a folder that is not there", () => {
    expect(() => files.watch(join(folder, "none"), () => {})).toThrow(
      /^inotify_add_watch\(.*none\) failed: ENOENT$/,
    );
  });
});
