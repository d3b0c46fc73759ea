// Each thing that makes a device unusable, done to a node: what is told while it lasts, when it is over, and when it comes again and again.
import * as fs from "node:fs";
import { expect, test } from "vitest";

import { HealthTracker } from "../../../deviceplugin/health-tracker.ts";
import { knowDevices, type KnownDevices } from "../../../deviceplugin/known-devices.ts";
import { scanDevices } from "../../../deviceplugin/scanner.ts";
import { removeAttachment, writeAttachment } from "../../../sriov/attachment-store.ts";
import { bindDriver } from "../../../sriov/driver.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { pciFolder } from "../../../sriov/pci-device.ts";
import { parseResourceConfig } from "../../../sriov/resource-config.ts";
import { makeAttachment } from "../../support/attached-vf.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const pf = parsePciAddress("0000:3b:00.0");
const vf = parsePciAddress("0000:3b:02.1");

interface Trouble {
  readonly reason: string;
  readonly begin: (node: FakeHost) => void;
  readonly end: (node: FakeHost) => void;
}

const troubles: Readonly<Record<string, Trouble>> = {
  link: {
    reason: "the PF ens1f0 has no link",
    begin: (node) => setLink(node, false),
    end: (node) => setLink(node, true),
  },
  driver: {
    reason: "expected the driver igbvf, got none",
    begin: (node) => {
      writeRecord(node);
      bindDriver(node.host, vf, { driver: undefined, override: "vfio-pci" });
    },
    end: (node) => bindDriver(node.host, vf, { driver: "igbvf", override: "" }),
  },
  vanished: {
    reason: "the VF is gone",
    begin: (node) => {
      writeRecord(node);
      setNumVfs(node, 0);
    },
    end: (node) => setNumVfs(node, 2),
  },
  "config-space": {
    reason: "the device does not answer: its PCI configuration space reads all ones",
    begin: ({ host }) => fs.writeFileSync(`${pciFolder(host, vf)}/config`, new Uint8Array(64).fill(0xff)),
    end: ({ host }) => fs.rmSync(`${pciFolder(host, vf)}/config`),
  },
  "unknown-owner": {
    reason: "pod shop/web-1 has it, which the kubelet does not know",
    begin: (node) => {
      node.allocate("another", { app: ["0000:3b:02.0"] });
      writeRecord(node);
    },
    end: ({ host }) => void removeAttachment(host, vf),
  },
  "other-resource": {
    reason: "pod shop/web-1 has it as a device of sriov/fast",
    begin: (node) => {
      node.allocate("uid-web-1", { app: [vf] }, "sriov/fast");
      writeRecord(node);
    },
    end: ({ host }) => void removeAttachment(host, vf),
  },
  "outside-kubelet": {
    reason: "taken outside the kubelet",
    begin: (node) => writeRecord(node, "cni"),
    end: ({ host }) => void removeAttachment(host, vf),
  },
};

test.each(Object.entries(troubles))(
  "%s: unhealthy while it lasts, healthy at once after it, and held back when it came three times in a minute",
  (code, { reason, begin, end }) => {
    using node = makeNode();
    const look = makeLook(node);
    expect(look(0)).toBe("healthy");
    // What may be a pod on its way out counts after ten seconds.
    const flapping = `flapping: unstable: good again after 30 s without "${reason}"`;
    for (const [atMs, after] of [
      [1_000, "healthy"],
      [13_000, "healthy"],
      [25_000, flapping],
    ] as const) {
      begin(node);
      look(atMs);
      expect(look(atMs + 10_000)).toBe(`${code}: ${reason}`);
      end(node);
      expect(look(atMs + 11_000)).toBe(after);
    }
    expect(look(65_999)).toContain("flapping");
    expect(look(66_000)).toBe("healthy");
  },
);

test("a PF without link is nothing to a resource that ignores it", () => {
  using node = makeNode();
  const look = makeLook(node, { linkDown: "ignore" });
  setLink(node, false);
  expect(look(0)).toBe("healthy");
});

test("a VF that nobody has and that is gone is listed no more", () => {
  using node = makeNode();
  const look = makeLook(node);
  expect(look(0)).toBe("healthy");
  setNumVfs(node, 0);
  expect(look(1_000)).toBe("not listed");
});

function makeNode(): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: pf, vfs: 2 }]);
  setLink(node, true);
  return node;
}

/** Looks at the node, as at that time, and tells what the kubelet is told of the VF. */
function makeLook(node: FakeHost, health: object = {}): (atMs: number) => string {
  const tracker = new HealthTracker();
  const text = JSON.stringify({ resourceList: [{ resourceName: "vf", health }] });
  const pools = parseResourceConfig(text, { path: "config.json", prefix: "sriov" });
  let before: KnownDevices = new Map();
  return (atMs) => {
    const seen = scanDevices(node.host, pools, before);
    before = knowDevices(seen);
    const device = tracker.apply(seen, atMs).resources.get("sriov/vf")?.devices.get(vf);
    if (device === undefined) return "not listed";
    return device.problem === undefined ? "healthy" : `${device.problem.code}: ${device.problem.reason}`;
  };
}

function setLink({ kernel }: FakeHost, hasCarrier: boolean): void {
  const [nic] = kernel.nics;
  if (nic !== undefined) Object.assign(nic.link, { isUp: true, hasCarrier });
}

function setNumVfs({ host }: FakeHost, count: number): void {
  host.files.writeText(`${pciFolder(host, pf)}/sriov_numvfs`, String(count));
}

function writeRecord({ host }: FakeHost, pickedBy: "kubelet" | "cni" = "kubelet"): void {
  const record = makeAttachment(host, { address: vf, pod: "web-1", netns: "/run/netns/web-1" });
  writeAttachment(host, { ...record, pickedBy });
}
