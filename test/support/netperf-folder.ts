// netperf and sockperf for tests on a machine whose Debian has none: those of the lab's guest, with the guest's own C library.

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for PATH with netperf and netserver; `path` is empty where they are installed, `undefined` where there are none. */
export interface NetperfFolder extends Disposable {
  readonly path: string | undefined;
  readonly hasSockperf: boolean;
}

const programs = ["netperf", "netserver", "sockperf"] as const;

export function findNetperf(): NetperfFolder {
  const isInstalled = programs.map((name) => !("error" in spawnSync(name, ["--version"])));
  if (isInstalled[0] === true && isInstalled[1] === true)
    return { path: "", hasSockperf: isInstalled[2] === true, [Symbol.dispose]: () => {} };
  const caches = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const roots = globSync(join(caches, "virtfn/guest-*/root")).map((root) => ({
    root,
    found: programs.filter((name) => existsSync(join(root, "usr/bin", name))),
  }));
  const [best] = roots.toSorted((a, b) => b.found.length - a.found.length);
  if (best === undefined || !best.found.includes("netperf"))
    return { path: undefined, hasSockperf: false, [Symbol.dispose]: () => {} };
  const { root, found } = best;
  const folder = mkdtempSync(join(tmpdir(), "virtfn-netperf-"));
  for (const name of found) {
    const libraries = `--library-path ${root}/usr/lib/x86_64-linux-gnu`;
    const command = `exec ${root}/lib64/ld-linux-x86-64.so.2 ${libraries} ${root}/usr/bin/${name} "$@"`;
    writeFileSync(join(folder, name), `#!/bin/sh\n${command}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return {
    path: folder,
    hasSockperf: found.includes("sockperf"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
