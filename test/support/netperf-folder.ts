// netperf for tests on a machine whose Debian has none: the one of the lab's guest, with the guest's own C library.

import { spawnSync } from "node:child_process";
import { chmodSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for PATH with netperf and netserver; `path` is empty where they are installed, `undefined` where there are none. */
export interface NetperfFolder extends Disposable {
  readonly path: string | undefined;
}

export function findNetperf(): NetperfFolder {
  const isInstalled = ["netperf", "netserver"].every((name) => spawnSync(name, ["-V"]).status === 0);
  if (isInstalled) return { path: "", [Symbol.dispose]: () => {} };
  const caches = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const [program] = globSync(join(caches, "virtfn/guest-*/root/usr/bin/netperf"));
  if (program === undefined) return { path: undefined, [Symbol.dispose]: () => {} };
  const root = program.slice(0, -"/usr/bin/netperf".length);
  const folder = mkdtempSync(join(tmpdir(), "virtfn-netperf-"));
  for (const name of ["netperf", "netserver"]) {
    const libraries = `--library-path ${root}/usr/lib/x86_64-linux-gnu`;
    const command = `exec ${root}/lib64/ld-linux-x86-64.so.2 ${libraries} ${root}/usr/bin/${name} "$@"`;
    writeFileSync(join(folder, name), `#!/bin/sh\n${command}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return { path: folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
