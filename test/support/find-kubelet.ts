// Finds a kubelet that somebody built already; tests of the process suite do not build one.
import * as fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Path of the executable: from KUBE_BIN_DIR, else the newest of the lab's cache; `undefined` when there is none. */
export function findKubelet(): string | undefined {
  const given = process.env["KUBE_BIN_DIR"] ?? "";
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "virtfn");
  const cached = fs.existsSync(cache)
    ? fs.readdirSync(cache).filter((name) => name.startsWith("kubernetes-"))
    : [];
  const candidates = [...(given === "" ? [] : [given]), ...cached.map((name) => join(cache, name, "kube"))];
  return candidates
    .map((folder) => join(folder, "kubelet"))
    .filter((path) => fs.existsSync(path))
    .toSorted((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs)[0];
}
