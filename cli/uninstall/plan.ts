// What install-cni, the daemons and the CNI left on a node, as the steps that take it away, in order.

import { basename, dirname, join, relative } from "node:path";

import type { UnchangedFile } from "../../host/exchange-file.ts";
import type { Host } from "../../host/host.ts";
import { targetOfTemporary } from "../../host/replace-file.ts";
import { hasIrqBalanceChanges } from "../../tuning/irqbalance/keep-off.ts";
import { listTuningRecords } from "../../sriov/tuning-store.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import { pluginName, savedSuffix } from "../install-cni/executable.ts";
import { isOwnUdevRule, udevRuleName, udevRulesFolder } from "../install-cni/udev-rule.ts";
import { planConflistWithout } from "../install-cni/conflist.ts";
import { UninstallError } from "./errors.ts";
import { listDevicePluginFiles } from "./device-plugin-files.ts";
import { resolveOnHost } from "./host-path.ts";

/** One change. `rename` puts a saved file of another program back in the place of ours, `recover` one that a killed writer of ours displaced. */
export type UninstallStep =
  | { readonly do: "restoreTuning"; readonly address: PciAddress }
  | { readonly do: "leaveIrqBalance" }
  | { readonly do: "restoreRfsTable" }
  | ({ readonly do: "write"; readonly path: string } & UnchangedFile)
  | { readonly do: "remove" | "removeFolder"; readonly path: string }
  | { readonly do: "rename" | "recover"; readonly path: string; readonly from: string };

/** Folders as the host has them. */
export interface UninstallFolders {
  readonly binDir: string;
  readonly confDir: string;
  /** The kubelet's --root-dir. */
  readonly kubeletRoot: string;
}

type View = Pick<Host, "files" | "paths">;

/**
 * The steps for the node as it is; none when nothing is left. The entry goes before the executable: a runtime that finds the
 * entry and not the executable starts no pod. Throws ERR_UNINSTALL where a configuration cannot do without virtfn.
 */
export function planUninstall(host: View, folders: UninstallFolders): readonly UninstallStep[] {
  const { paths } = host;
  const files = listDevicePluginFiles(host, folders.kubeletRoot);
  return [
    ...listTuningRecords(host).map((address) => ({ do: "restoreTuning", address }) as const),
    ...(hasIrqBalanceChanges(host) ? [{ do: "leaveIrqBalance" } as const] : []),
    ...(host.files.stat(paths.rfsNote) === undefined ? [] : [{ do: "restoreRfsTable" } as const]),
    ...planConfigurations(host, resolveOnHost(host, folders.confDir)),
    ...files.map((path) => ({ do: "remove", path }) as const),
    ...planEmptied(host, sharedFolders(paths), files),
    ...planUdevRule(host, resolveOnHost(host, udevRulesFolder)),
    ...planTree(host, join(paths.root, "run/virtfn")),
    ...planExecutables(host, resolveOnHost(host, folders.binDir)),
    ...planTree(host, join(paths.root, "var/lib/virtfn")),
    ...planEmptied(host, [join(paths.root, "etc/virtfn")], []),
  ];
}

/** Folders where others write too, the inner ones first; where there were none, the kubelet made them for the pod's volumes. */
function sharedFolders({ cdi, deviceInfo, cniDeviceInfo }: Host["paths"]): readonly string[] {
  return [cdi, deviceInfo, cniDeviceInfo, dirname(deviceInfo), dirname(dirname(deviceInfo))];
}

/** Of the folders, those that have nothing but what was `removed`: what others have in there stays. */
function planEmptied(
  { files }: View,
  folders: readonly string[],
  removed: readonly string[],
): readonly UninstallStep[] {
  const gone = new Set(removed);
  for (const path of folders)
    if (files.list(path)?.every((name) => gone.has(join(path, name))) === true) gone.add(path);
  return folders.flatMap((path): readonly UninstallStep[] =>
    gone.has(path) ? [{ do: "removeFolder", path }] : [],
  );
}

function planConfigurations(host: View, folder: string): readonly UninstallStep[] {
  const { files } = host;
  const names = files.list(folder) ?? [];
  // What a killed writer of ours had displaced is another program's, though its name is that of a leftover.
  const recovered = names
    .filter((name) => name.endsWith(".conflist"))
    .map((name) => join(folder, name))
    .flatMap((path) => files.findDisplaced(path).map((from) => ({ do: "recover", path, from }) as const));
  const others = names
    .map((name) => join(folder, name))
    .filter((path) => !recovered.some(({ from }) => from === path));
  return others.flatMap((path): readonly UninstallStep[] => {
    if (targetOfTemporary(basename(path))?.endsWith(".conflist") === true) return [{ do: "remove", path }];
    const back: readonly UninstallStep[] = recovered.filter((step) => step.path === path);
    const content = recovered.findLast((step) => step.path === path)?.from ?? path;
    return back.concat(planConfiguration(host, path, content));
  });
}

function planConfiguration(host: View, path: string, content: string): readonly UninstallStep[] {
  const { files, paths } = host;
  const isLink = files.stat(content, { noFollow: true })?.kind === "symlink";
  const file = isLink ? resolveOnHost(host, join("/", relative(paths.root, content))) : content;
  const stat = files.stat(file);
  if (!/\.(?:conf|conflist|json)$/.test(path) || stat?.kind !== "file") return [];
  const before = files.readText(file) ?? "";
  const plan = planConflistWithout(before, pluginName);
  if (plan.kind === "keep") return [];
  if (plan.kind === "refuse") throw new UninstallError(`${path}: ${plan.problem}`);
  if (isLink) throw new UninstallError(`${path}: it names ${pluginName}, and is a link: take it out by hand`);
  return [{ do: "write", path, before, text: plan.text, mode: stat.mode & 0o777 }];
}

// Also one of another release.
function planUdevRule({ files }: View, folder: string): readonly UninstallStep[] {
  return (files.list(folder) ?? []).flatMap((name) => {
    const path = join(folder, name);
    const isOurs = name === udevRuleName && isOwnUdevRule(files.readText(path) ?? "");
    return isOurs || targetOfTemporary(name) === udevRuleName ? [{ do: "remove", path } as const] : [];
  });
}

// Ours goes last: by it, what has the same content under other names is known to be ours.
function planExecutables({ files }: View, folder: string): readonly UninstallStep[] {
  const names = files.list(folder) ?? [];
  const ours = join(folder, pluginName);
  const isOurs = (path: string): boolean =>
    files.stat(path, { noFollow: true })?.kind === "file" && files.isSameContent(path, ours);
  const steps: UninstallStep[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const saved = `${path}${savedSuffix}`;
    const half = targetOfTemporary(name);
    if (half === pluginName || (half !== undefined && names.includes(`${half}${savedSuffix}`)))
      steps.push({ do: "remove", path });
    else if (name === pluginName || name.endsWith(savedSuffix) || !isOurs(path)) continue;
    else if (names.includes(`${name}${savedSuffix}`)) steps.push({ do: "rename", path, from: saved });
    else steps.push({ do: "remove", path });
  }
  // Where the other program's own installer was there since, its file is the newer one; where nothing is, what was saved.
  for (const saved of names.filter((name) => name.endsWith(savedSuffix))) {
    const path = join(folder, saved.slice(0, -savedSuffix.length));
    if (files.stat(path) === undefined || files.stat(ours) === undefined)
      steps.push({ do: "rename", path, from: join(folder, saved) });
    else if (!isOurs(path)) steps.push({ do: "remove", path: join(folder, saved) });
  }
  if (files.stat(ours, { noFollow: true }) !== undefined) steps.push({ do: "remove", path: ours });
  return steps;
}

function planTree(host: View, path: string): readonly UninstallStep[] {
  const stat = host.files.stat(path, { noFollow: true });
  if (stat === undefined) return [];
  if (stat.kind !== "directory") return [{ do: "remove", path }];
  const inside = (host.files.list(path) ?? []).flatMap((name) => planTree(host, join(path, name)));
  return [...inside, { do: "removeFolder", path }];
}
