// A node's file tree with the real executables in it, in which they run as on a host: process 1 has it as its root.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { execa } from "execa";

const dist = resolve(import.meta.dirname, "../../dist");

// In mount and process namespaces of their own: with process 1 everything ends.
const enter = `
set -e
root=$1; shift
for folder in usr dev; do mount --rbind /$folder $root/$folder; done
mount -t sysfs -o ro sys $root/sys
mount -t proc proc $root/proc
mount --bind ${dist} $root/dist
exec chroot $root /bin/sh -c "$1"
`;

export interface ChrootNode extends Disposable {
  readonly root: string;
  /** Runs a shell script as process 1 of the node; `virtfn` is in /dist. Killed with what it started when this process ends. */
  readonly run: (script: string) => ReturnType<typeof start>;
}

/** A node with nothing but empty folders. */
export function createChrootNode(): ChrootNode {
  const root = fs.mkdtempSync(join(tmpdir(), "virtfn-node-"));
  const folders = ["dev", "proc", "sys", "usr", "dist", "run/netns", "tmp", "etc", "var", "opt"];
  for (const folder of folders) fs.mkdirSync(join(root, folder), { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    const link = fs.lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (link?.isSymbolicLink() === true) fs.symlinkSync(fs.readlinkSync(`/${name}`), join(root, name));
  }
  return {
    root,
    run: (script) => start(root, script),
    [Symbol.dispose]: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

function start(root: string, script: string) {
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child"];
  const args = [...namespaces, "sh", "-c", enter, "sh", root, script];
  return execa("unshare", args, { reject: false, stdin: "ignore" });
}
