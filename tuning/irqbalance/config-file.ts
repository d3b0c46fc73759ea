// irqbalance's configuration file on the host: changed only where node.yaml allows it, and undone without that.

import { join } from "node:path";

import type { Host } from "../../host/host.ts";
import { resolveInRoot } from "../../sriov/root-path.ts";
import { addPolicyFolder, removePolicyFolder } from "./config-text.ts";
import { IrqBalanceError } from "./errors.ts";

type Store = Pick<Host, "files" | "paths">;

/** Of Debian and of Fedora. Source: EnvironmentFile of their irqbalance.service. */
const configFiles = ["/etc/default/irqbalance", "/etc/sysconfig/irqbalance"];

/** Has irqbalance take the policy scripts in `folder` from its next start on. Throws ERR_IRQBALANCE where that can't be written. */
export function configureIrqBalance(host: Store, folder: string): void {
  const [file] = readFiles(host);
  if (file === undefined) throw new IrqBalanceError(`expected ${configFiles.join(" or ")}, found none`);
  const text = addPolicyFolder(file.text, folder);
  if (text === undefined)
    throw new IrqBalanceError(`${file.path}: expected IRQBALANCE_ARGS to be plain words in quotes`);
  write(host, file, text);
}

/** Takes our line out of each file that has it. */
export function unconfigureIrqBalance(host: Store): void {
  for (const file of readFiles(host)) write(host, file, removePolicyFolder(file.text));
}

/** Whether a file has our line. */
export function isIrqBalanceConfigured(host: Store): boolean {
  return readFiles(host).some(({ text }) => removePolicyFolder(text) !== text);
}

interface ConfigFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

function readFiles({ files, paths }: Store): readonly ConfigFile[] {
  return configFiles.flatMap((file) => {
    const path = join(paths.hostRoot, resolveInRoot(files, paths.hostRoot, file) ?? file);
    const text = files.readText(path);
    return text === undefined ? [] : [{ path, text, mode: (files.stat(path)?.mode ?? 0o644) & 0o777 }];
  });
}

function write(host: Store, { path, text, mode }: ConfigFile, wanted: string): void {
  if (wanted !== text) host.files.writeDurable(path, wanted, mode);
}
