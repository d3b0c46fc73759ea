// The guest's Debian: systemd, containerd, runc, network tools and the kernel with its modules.
import { join } from "node:path";
import { hashTree } from "./hash-files.ts";
import { type DebianRecipe, makeDebianRoot } from "./debian-root.ts";
import { inStep, type Workshop } from "./workshop.ts";

/** Folder with the guest's root file system, without what is the lab's own (node-files.ts). Two minutes when it must be made. */
export async function provideGuestRoot(workshop: Workshop): Promise<string> {
  const recipe = guestRecipe(workshop.guest);
  const scripts = await hashTree(workshop.guest, ["apt-pins", "install-kernel.sh"]);
  const folder = await workshop.cache.keep({
    name: "guest",
    inputs: [recipe.packages, recipe.suites, scripts],
    make: async (target) => {
      await inStep(
        workshop,
        "guest: Debian 13 with systemd, containerd and a kernel (2 minutes)",
        async () => {
          await makeDebianRoot(workshop, recipe, join(target, "root"));
        },
      );
    },
  });
  return join(folder, "root");
}

function guestRecipe(guest: string): DebianRecipe {
  const system = ["systemd-sysv", "udev", "dbus", "kmod", "procps", "ca-certificates"];
  const network = ["iproute2", "iputils-ping", "nftables", "ethtool", "netperf", "sockperf", "irqbalance"];
  return {
    variant: "minbase",
    packages: [...system, ...network, "containerd", "runc"],
    // Debian 13 has containerd 1.7; 2.x and its runc come from sid, and nothing else does.
    suites: ["sid"],
    setupHook: `install -D -m 644 '${join(guest, "apt-pins")}' "$1/etc/apt/preferences.d/lab"`,
    customizeHook: `sh '${join(guest, "install-kernel.sh")}' "$1"`,
  };
}
