// The entry in irqbalance's folder of policy scripts: bans what tuning has pinned, now and after each start of irqbalance.

import { join } from "node:path";

import type { Host } from "../../host/host.ts";
import { resolveInRoot } from "../../sriov/root-path.ts";
import { IrqBalanceError } from "./errors.ts";

type Store = Pick<Host, "files" | "paths">;

/** The folder that irqbalance gets from us, where node.yaml allows it; as the host names it. */
export const ownPolicyFolder = "/var/lib/virtfn/irqbalance.d";

const entryName = "virtfn";
const mark = "# Written by virtfn tuning, and taken away by virtfn uninstall.";

/** Whether irqbalance's `--policyscript` is a folder of the host; irqbalance runs all programs in such a one. */
export function isPolicyFolder(host: Store, policyScript: string): boolean {
  return host.files.stat(onHost(host, policyScript))?.kind === "directory";
}

/** Whether the folder has an entry of this or another release. */
export function hasPolicyEntry(host: Store, folder: string): boolean {
  return host.files.readText(join(onHost(host, folder), entryName))?.includes(mark) ?? false;
}

/**
 * Puts the entry there, unless it is there; true when it was written. Readable and executable as irqbalance wants it.
 * Throws ERR_IRQBALANCE where another program has a file of that name.
 */
export function writePolicyEntry(host: Store, folder: string): boolean {
  const path = join(onHost(host, folder), entryName);
  const text = formatEntry(host.paths);
  const present = host.files.readText(path);
  if (present === text) return false;
  if (present !== undefined && !present.includes(mark))
    throw new IrqBalanceError(`${join(folder, entryName)}: it is another program's`);
  host.files.writeDurable(path, text, 0o755);
  return true;
}

/** Takes our entry away; another program's file of that name stays. */
export function removePolicyEntry(host: Store, folder: string): void {
  if (hasPolicyEntry(host, folder)) host.files.remove(join(onHost(host, folder), entryName));
}

/**
 * irqbalance calls it with a device and an IRQ; the device is /sys for one that came later. Exit 0 decides, 1 has no opinion.
 * A VF that tuning has changed has a record. Source: irqbalance(1), --policyscript.
 */
function formatEntry({ tuningState, sys }: Host["paths"]): string {
  return `#!/bin/sh
${mark}
for record in ${tuningState}/*.json; do
  vf=\${record##*/}
  if [ -e "${sys}/bus/pci/devices/\${vf%.json}/msi_irqs/$2" ]; then
    echo ban=true
    exit 0
  fi
done
exit 1
`;
}

function onHost({ files, paths }: Store, path: string): string {
  return join(paths.hostRoot, resolveInRoot(files, paths.hostRoot, path) ?? path);
}
