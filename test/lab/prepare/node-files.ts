// What is laid over the guest's Debian: units and configuration of test/lab/guest/root, agent, kubelet, CNI plugins, credentials.
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PKI_FILES } from "../artifacts.ts";
import { artefactName } from "./artefact-name.ts";
import { compileStatic } from "./c-program.ts";
import { hashFile, hashTree } from "./hash-files.ts";
import { cniPlugins } from "./kube-source.ts";
import { NODE_NAMES } from "./pki.ts";
import { inStep, type Workshop } from "./workshop.ts";

export interface NodeParts {
  readonly kubeBinDir: string;
  readonly cniBinDir: string;
  readonly pki: string;
}

/** Folder that is laid over the guest's root; owned by root, readable for all. */
export async function provideNodeFiles(workshop: Workshop, parts: NodeParts): Promise<string> {
  const folder = await workshop.cache.keep({
    name: "node-files",
    inputs: [
      await hashTree(workshop.guest, ["root", ...programs.map((name) => `${name}.c`)]),
      await hashFile(join(parts.kubeBinDir, "kubelet")),
      await hashTree(parts.cniBinDir, cniPlugins),
      artefactName(parts.pki),
      links,
      texts,
    ],
    make: (target) =>
      inStep(workshop, "node: units, agent, kubelet, CNI plugins", () =>
        fill(workshop, parts, join(target, "root")),
      ),
  });
  return join(folder, "root");
}

/** Of C, in the folder of the lab's boot unit. */
const programs = ["agent", "apic-guard"] as const;
const units = "etc/systemd/system";
// No console and nothing to keep up to date: a start of any of these costs the emulated node seconds.
const masked = [
  "apt-daily-upgrade.timer",
  "apt-daily.timer",
  "dpkg-db-backup.timer",
  "fstrim.timer",
  "getty@tty1.service",
  "irqbalance.service",
  "modprobe@drm.service",
  "modprobe@fuse.service",
  "serial-getty@ttyS0.service",
  "systemd-firstboot.service",
  "systemd-logind.service",
  "systemd-pstore.service",
  "systemd-user-sessions.service",
];

const links: Readonly<Record<string, string>> = {
  [`${units}/sysinit.target.wants/lab-agent.service`]: "../lab-agent.service",
  [`${units}/sysinit.target.wants/lab-apic-guard.service`]: "../lab-apic-guard.service",
  [`${units}/multi-user.target.wants/lab-boot.service`]: "../lab-boot.service",
  [`${units}/multi-user.target.wants/kubelet.service`]: "../kubelet.service",
  ...Object.fromEntries(masked.map((unit) => [`${units}/${unit}`, "/dev/null"])),
};

const texts: Readonly<Record<string, string>> = {
  "etc/fstab": "",
  "etc/hostname": `${NODE_NAMES[0]}\n`,
  "etc/hosts": "127.0.0.1 localhost\n",
  // Empty: systemd makes one at the first boot.
  "etc/machine-id": "",
  "etc/resolv.conf": "",
  // Newer than /usr: else the first boot rebuilds the linker's cache and the journal's catalogue.
  "etc/.updated": "",
  "var/.updated": "",
};

async function fill(workshop: Workshop, parts: NodeParts, root: string): Promise<void> {
  await cp(join(workshop.guest, "root"), root, { recursive: true });
  for (const folder of [
    "etc/kubernetes/manifests",
    "etc/kubernetes/pki",
    "opt/cni/bin",
    "usr/local/bin",
    "var/lib/containerd",
  ]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  for (const program of programs)
    await compileStatic(workshop, program, join(root, "usr/local/lib/lab", program));
  await cp(join(parts.kubeBinDir, "kubelet"), join(root, "usr/local/bin/kubelet"));
  for (const plugin of cniPlugins) await cp(join(parts.cniBinDir, plugin), join(root, "opt/cni/bin", plugin));
  await cp(join(parts.pki, PKI_FILES.ca), join(root, "etc/kubernetes/pki/ca.crt"));
  await cp(join(parts.pki, "nodes"), join(root, "etc/kubernetes/nodes"), { recursive: true });
  for (const [path, text] of Object.entries(texts)) await writeFile(join(root, path), text);
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(target, join(root, path));
  }
  await workshop.run("chown", ["--recursive", "--no-dereference", "0:0", root]);
  await workshop.run("chmod", ["--recursive", "u=rwX,go=rX", root]);
}
