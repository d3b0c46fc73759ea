// Kubelets with another root: the CNI finds their files, or the installer says which link is missing.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { checkKubeletRoot } from "../../../../cli/install-cni/kubelet-root.ts";
import { createFiles } from "../../../../host/files.ts";

const snap = "/var/snap/microk8s/common/var/lib/kubelet";
let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "virtfn-kubelet-"));
});

afterEach(() => {
  fs.rmSync(root, { recursive: true });
});

function make(...folders: readonly string[]): void {
  for (const folder of folders) fs.mkdirSync(join(root, folder), { recursive: true });
}

function link(path: string, target: string): void {
  fs.mkdirSync(join(root, path, ".."), { recursive: true });
  fs.symlinkSync(target, join(root, path));
}

function check(kubeletRoot: string): void {
  checkKubeletRoot({ files: createFiles() }, root, kubeletRoot);
}

test("the usual root", () => {
  make("/var/lib/kubelet/device-plugins", "/var/lib/kubelet/pod-resources");
  expect(() => check("/var/lib/kubelet")).not.toThrow();
});

test("a root that /var/lib/kubelet is a link to, which leads inside the host's root", () => {
  make(`${snap}/device-plugins`, `${snap}/pod-resources`);
  link("/var/lib/kubelet", snap);
  expect(() => check(snap)).not.toThrow();
});

test("a root of its own, with and without the link for PodResources", () => {
  make("/var/lib/kubelet/device-plugins", "/data/kubelet/pod-resources");
  expect(() => check("/data/kubelet")).toThrow(
    "expected a link to /data/kubelet/pod-resources, got nothing; make it with: ln -s /data/kubelet/pod-resources /var/lib/kubelet/pod-resources",
  );
  link("/var/lib/kubelet/pod-resources", "/data/kubelet/pod-resources");
  expect(() => check("/data/kubelet")).not.toThrow();
});

test.each([
  [["/data/kubelet/pod-resources"], "/var/lib/kubelet/device-plugins: there is no such folder"],
  [["/var/lib/kubelet/device-plugins"], "/data/kubelet/pod-resources: there is no such folder"],
  [
    ["/var/lib/kubelet/device-plugins", "/var/lib/kubelet/pod-resources", "/data/kubelet/pod-resources"],
    "expected a link to /data/kubelet/pod-resources, got /var/lib/kubelet/pod-resources",
  ],
])("with nothing but %j it says what is wrong", (folders, message) => {
  make(...folders);
  expect(() => check("/data/kubelet")).toThrow(message);
});
