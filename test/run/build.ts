// `npm run build [-- --arch arm64]`: compiles dist/virtfn and dist/virtfn-cni (arm64: dist/arm64/...).

import { execa } from "execa";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

type Arch = "x64" | "arm64";

/** A call is over before functions are worth the machine code that would be made of them. */
type Life = "call" | "daemon";

const executables = [
  { name: "virtfn", entry: "cli/main.ts", life: "daemon" },
  { name: "virtfn-cni", entry: "cni/main.ts", life: "call" },
] as const;

/** Flags of what ships. Without the two `no-compile-autoload` ones an executable runs code of the folder it is started in. */
const compileFlags = [
  "--compile",
  "--format=esm",
  "--bytecode",
  "--minify",
  "--splitting",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
] as const;

/** A function runs 100 times as often as usual before it is compiled: for no function of an ADD that point comes. */
const lifeFlags: Readonly<Record<Life, readonly string[]>> = {
  call: ["--compile-jit-policy=100"],
  daemon: [],
};

/** Compiles `entry` into the one executable `outfile` for `arch`, x64 for CPUs without AVX2 too. */
export async function compile(entry: string, outfile: string, life: Life, arch: Arch = "x64"): Promise<void> {
  const target = arch === "x64" ? "bun-linux-x64-baseline" : "bun-linux-arm64";
  const runtime = await runtimePath(arch);
  const where = [`--target=${target}`, `--compile-executable-path=${runtime}`, `--outfile=${outfile}`];
  await execa(process.execPath, ["build", ...compileFlags, ...lifeFlags[life], ...where, entry], {
    stdin: "ignore",
  });
}

/** The Bun that is put into the executables; arm64's is fetched once, checked against the lock file. */
async function runtimePath(arch: Arch): Promise<string> {
  if (arch === "x64") return "node_modules/@oven/bun-linux-x64-baseline/bin/bun";
  const lock = JSON.parse(await readFile("package-lock.json", "utf8")) as {
    packages: Record<string, { version: string; integrity: string }>;
  };
  const wanted = lock.packages["node_modules/@oven/bun-linux-aarch64"];
  if (wanted === undefined)
    throw new Error("package-lock.json has no @oven/bun-linux-aarch64: reinstall bun");
  const caches = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(caches, "virtfn", `bun-linux-aarch64-${wanted.version}`);
  const runtime = join(folder, "package/bin/bun");
  if (await isThere(runtime)) return runtime;
  await fetchPackage(`@oven/bun-linux-aarch64@${wanted.version}`, wanted.integrity, folder);
  return runtime;
}

async function fetchPackage(spec: string, integrity: string, folder: string): Promise<void> {
  await mkdir(join(folder, ".."), { recursive: true });
  const temporary = await mkdtemp(`${folder}.`);
  try {
    console.error(`fetching ${spec} (50 MB)`);
    const { stdout } = await execa("npm", ["pack", "--silent", "--pack-destination", temporary, spec]);
    const archive = join(temporary, stdout.trim());
    const digest = createHash("sha512")
      .update(await readFile(archive))
      .digest("base64");
    if (`sha512-${digest}` !== integrity) {
      throw new Error(`${spec}: expected ${integrity} of package-lock.json, got sha512-${digest}`);
    }
    await execa("tar", ["-xzf", archive, "-C", temporary]);
    await rm(archive);
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) {
  const arch: Arch = process.argv.includes("arm64") ? "arm64" : "x64";
  const folder = arch === "x64" ? "dist" : "dist/arm64";
  await mkdir(folder, { recursive: true });
  for (const { name, entry, life } of executables) {
    const start = performance.now();
    const outfile = join(folder, name);
    await compile(entry, outfile, life, arch);
    const megabytes = ((await stat(outfile)).size / 1e6).toFixed(1);
    console.log(`${outfile}: ${megabytes} MB, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
}
