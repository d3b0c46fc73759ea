// What this machine must have before a lab can be made, and how the missing part gets there: apt-get, here and nowhere else.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { isThere } from "./cache.ts";
import { addBackports, readMirror } from "./debian-mirror.ts";
import { findGo, type KubeSource } from "./kube-source.ts";
import type { Workshop } from "./workshop.ts";

/** The machine lacks what can not be installed here; the message lists all of it. */
export class LabRequirementsError extends Error {
  readonly code = "ERR_LAB_REQUIREMENTS";
}

interface Need {
  /** Debian package that has it. */
  readonly package: string;
  readonly isMet: () => Promise<boolean>;
}

const needs: readonly Need[] = [
  ...Object.entries({
    buildah: "buildah",
    cpio: "cpio",
    e2fsprogs: "mke2fs",
    gcc: "gcc",
    iproute2: "ip",
    mmdebstrap: "mmdebstrap",
    openssl: "openssl",
    "xz-utils": "xz",
  }).map(([name, command]) => ({ package: name, isMet: () => hasCommand(command) })),
  { package: "libc6-dev", isMet: () => isThere("/usr/include/stdio.h") },
  {
    package: "debian-archive-keyring",
    isMet: () => isThere("/usr/share/keyrings/debian-archive-keyring.gpg"),
  },
];

const qemu = "qemu-system-x86_64";
const qemuPackage = "qemu-system-x86";
const qemuMajor = 8;

/**
 * Installs the Debian packages that are missing, after saying which and how long it takes.
 * Throws LabRequirementsError with everything that is missing and can not be installed, before anything is changed.
 */
export async function meetRequirements(workshop: Workshop, kube: KubeSource): Promise<void> {
  const unmet = await Promise.all(needs.map(async (need) => ((await need.isMet()) ? [] : [need.package])));
  const packages = unmet.flat();
  const lacksQemu = !(await hasQemu());
  const release = await readDebianRelease();
  const problems = await listProblems({
    kube,
    release,
    wanted: [...packages, ...(lacksQemu ? [qemuPackage] : [])],
  });
  if (problems.length > 0) {
    throw new LabRequirementsError(
      `this machine can not make the lab:\n${problems.map((line) => `- ${line}`).join("\n")}`,
    );
  }
  if (packages.length === 0 && !lacksQemu) return;
  const names = [
    ...packages,
    ...(lacksQemu ? [`${qemuPackage}${release === "12" ? " (from backports)" : ""}`] : []),
  ];
  const step = workshop.progress.step(`apt-get install ${names.join(" ")} (1 to 2 minutes)`);
  await apt("update");
  if (packages.length > 0) await apt("install", ...packages);
  if (lacksQemu) {
    const suite =
      release === "12"
        ? await addBackports(await readMirror(), (file) => step.note(`added ${file}; remove it to undo`))
        : undefined;
    if (suite !== undefined) await apt("update");
    await apt("install", ...(suite === undefined ? [] : ["--target-release", suite]), qemuPackage);
  }
  step.done();
}

interface Situation {
  readonly kube: KubeSource;
  /** Major version of Debian; undefined on anything else. */
  readonly release: string | undefined;
  readonly wanted: readonly string[];
}

async function listProblems({ kube, release, wanted }: Situation): Promise<readonly string[]> {
  const problems: string[] = [];
  const isRoot = process.getuid?.() === 0;
  if (!isRoot)
    problems.push(`root: expected user 0, got ${process.getuid?.()} (mounts, network namespaces, packages)`);
  if (wanted.length > 0 && release !== "12" && release !== "13") {
    problems.push(`Debian 12 or 13, or these of its packages in another way: ${wanted.join(" ")}`);
  }
  if (isRoot && !(await canUnshare()))
    problems.push("mount and PID namespaces: `unshare --mount --pid --fork true` fails");
  if (kube.kind === "incomplete")
    problems.push(`KUBE_BIN_DIR: ${kube.folder} has no ${kube.missing.join(", ")}`);
  if (kube.needsGo && (await findGo()) === undefined) {
    problems.push(
      "Go 1.21 or later in PATH, to build Kubernetes and the CNI plugins; or their executables in the folder KUBE_BIN_DIR",
    );
  }
  return problems;
}

/**
 * Installs a package that is wished for but not needed, unless `command` is there; gives why that can't be, `undefined` when it is there.
 * Debian 12 or 13, as root.
 */
export async function meetWish(command: string, name: string): Promise<string | undefined> {
  if (await hasCommand(command)) return undefined;
  const release = await readDebianRelease();
  if (release !== "12" && release !== "13")
    return `no ${command}, and no Debian 12 or 13 to install ${name} on`;
  if (process.getuid?.() !== 0) return `no ${command}, and no root to install ${name}`;
  try {
    await apt("update");
    await apt("install", name);
    return undefined;
  } catch (error) {
    return `no ${command}, and apt-get cannot install ${name}: ${String(error).slice(0, 300)}`;
  }
}

/** Not ended by a signal from outside: dpkg would be left half-way. */
async function apt(...args: readonly string[]): Promise<void> {
  const quiet = ["-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
  await execa("apt-get", [...quiet, ...args], {
    stdin: "ignore",
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
}

async function hasQemu(): Promise<boolean> {
  const { stdout, failed } = await execa(qemu, ["--version"], { reject: false });
  return !failed && Number(/version (\d+)/.exec(stdout)?.[1]) >= qemuMajor;
}

/** Path of QEMU; once the requirements are met it is there. */
export async function findQemu(): Promise<string> {
  const path = await findCommand(qemu);
  if (path === undefined) throw new LabRequirementsError(`no ${qemu} in ${process.env["PATH"]}`);
  return path;
}

async function hasCommand(name: string): Promise<boolean> {
  return (await findCommand(name)) !== undefined;
}

async function findCommand(name: string): Promise<string | undefined> {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
  for (const folder of folders) if (await isThere(join(folder, name))) return join(folder, name);
  return undefined;
}

async function canUnshare(): Promise<boolean> {
  return !(await execa("unshare", ["--mount", "--pid", "--fork", "true"], { reject: false })).failed;
}

async function readDebianRelease(): Promise<string | undefined> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^ID=debian$/m.test(text) ? /^VERSION_ID="?(\d+)/m.exec(text)?.[1] : undefined;
}
