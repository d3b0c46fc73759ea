// A fake node with another CNI and another program called sriov, and what an installation of virtfn puts on it.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect } from "vitest";

import { Installer } from "../../cli/install-cni/installer.ts";
import { formatCdiFileName } from "../../deviceplugin/cdi-spec.ts";
import { writeAdvertisedPools } from "../../sriov/advertised-pools.ts";
import { createFakeHost, type FakeHost } from "./fake-host.ts";

export const folders = {
  binDir: "/opt/cni/bin",
  confDir: "/etc/cni/net.d",
  kubeletRoot: "/var/lib/kubelet",
};
export const list = `{
  "cniVersion": "1.1.0", "name": "cluster",
  "plugins": [
    { "type": "bridge" }
  ]
}
`;
export const conflist = (node: FakeHost): string => join(node.root, "etc/cni/net.d/10-cluster.conflist");

/** Every file and folder of the node with its content, but for what a pod's life changes in sysfs and /run/netns. */
export function show(node: FakeHost): string {
  return ["etc", "opt", "run", "var"].flatMap((folder) => showFolder(node.root, folder)).join("\n");
}

function showFolder(root: string, path: string): readonly string[] {
  if (path === "run/netns") return [];
  const stat = fs.lstatSync(join(root, path));
  if (!stat.isDirectory())
    return [`${path} ${stat.isFile() ? fs.readFileSync(join(root, path), "utf8") : ""}`];
  const names = fs.readdirSync(join(root, path)).toSorted((a, b) => a.localeCompare(b));
  return [path, ...names.flatMap((name) => showFolder(root, join(path, name)))];
}

/** A node with another CNI and another program called sriov; nothing of virtfn. */
export function makeNode(): FakeHost {
  const node = createFakeHost();
  const write = (path: string, text: string): void => {
    fs.mkdirSync(join(node.root, path, ".."), { recursive: true });
    fs.writeFileSync(join(node.root, path), text);
  };
  write("etc/cni/net.d/10-cluster.conflist", list);
  write("etc/cni/net.d/20-other.conf", '{"cniVersion":"1.0.0","name":"o","type":"macvlan"}');
  write("opt/cni/bin/sriov", "sriov-cni");
  write("etc/udev/rules.d/70-other.rules", "# another's\n");
  write("opt/cni/bin/bridge", "bridge");
  write("image/virtfn-cni", "#!/bin/sh\n");
  for (const folder of ["device-plugins", "plugins_registry"])
    fs.mkdirSync(join(node.root, "var/lib/kubelet", folder), { recursive: true });
  fs.mkdirSync(node.host.paths.cdi, { recursive: true });
  write("run/cdi/other.json", "{}");
  return node;
}

export function install(node: FakeHost): void {
  const at = (path: string): string => join(node.root, path);
  const options = {
    source: at("image/virtfn-cni"),
    binDir: at(folders.binDir),
    confDir: at(folders.confDir),
    entryFile: undefined,
    udevRules: at("etc/udev/rules.d"),
    hostRoot: node.root,
    aliases: ["sriov", "host-device"],
  };
  const report = new Installer(node.host, options, ["1.1.0"]).look();
  expect(report.conflist).toMatchObject({ kind: "chained", written: true });
  writeAdvertisedPools(node.host, new Map([["sriov/vf", ["0000:3b:02.0"]]]));
  // As the kubelet makes the folders of volumes.
  for (const folder of [node.host.paths.deviceInfo, node.host.paths.cdi])
    fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(join(node.host.paths.deviceInfo, "sriov-vf-0000:3b:02.0-device.json"), "{}");
  fs.writeFileSync(join(node.host.paths.cdi, formatCdiFileName("sriov/vf")), "{}");
  fs.writeFileSync(join(node.host.paths.cdi, `.${formatCdiFileName("sriov/vf")}.77.0123abcd.tmp`), "{");
  fs.mkdirSync(at("etc/virtfn"));
}
