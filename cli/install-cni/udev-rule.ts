// The udev rule that keeps NetworkManager and systemd-networkd off VFs: to them one that comes back from a pod is a new device.

import { join } from "node:path";

import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { readInventory } from "../../sriov/inventory.ts";
import { readNodeUse } from "../../sriov/node-use.ts";

/** Where udev looks for the administrator's rules; it follows changes by itself. Source: udev(7). */
export const udevRulesFolder = "/etc/udev/rules.d";
export const udevRuleName = "84-virtfn.rules";

const firstLine = "# Written by virtfn install-cni --udev-rule, and taken away by virtfn uninstall.\n";

// Of a function that has a physical one; at each event but the last, as udev forgets what an event does not set again. networkd
// leaves alone what somebody else manages (since 255). Source: NetworkManager(8); systemd-networkd, ID_NET_MANAGED_BY.
const rule = `${firstLine}SUBSYSTEM=="net", ACTION!="remove", TEST=="device/physfn", ENV{NM_UNMANAGED}="1", ENV{ID_NET_MANAGED_BY}="virtfn"\n`;

/** How the rule stands after a look. `refused`: nothing was written. */
export type UdevRuleState =
  | { readonly kind: "installed"; readonly path: string; readonly written: boolean }
  | { readonly kind: "refused"; readonly error: HostError };

/** The rule would take away what the node lives on, or another program's file. */
class UdevRuleError extends HostError {
  readonly code = "ERR_UDEV_RULE";

  constructor(path: string, problem: string) {
    super(`writing the udev rule ${path}: ${problem}`);
  }
}

/** Puts the rule into `folder`, unless it is there; never where the node itself lives on a VF, or over a file that is not ours. */
export function installUdevRule(
  host: Pick<Host, "files" | "paths" | "openNetlink">,
  folder: string,
): UdevRuleState {
  const path = join(folder, udevRuleName);
  try {
    const present = host.files.readText(path);
    if (present === rule) return { kind: "installed", path, written: false };
    if (present !== undefined && !isOwnUdevRule(present))
      throw new UdevRuleError(path, "expected no file, or one of virtfn's: this is another's");
    const used = [...readNodeUse(host, readInventory(host))].map(([vf, reason]) => `${vf} (${reason})`);
    if (used.length > 0)
      throw new UdevRuleError(
        path,
        `the node itself lives on ${used.join(", ")}, and would lose that at its next start; where NetworkManager took a VF by itself, give it back: nmcli device disconnect`,
      );
    host.files.writeDurable(path, rule, 0o644);
    return { kind: "installed", path, written: true };
  } catch (error) {
    if (error instanceof HostError) return { kind: "refused", error };
    throw error;
  }
}

/** Whether `text` is a rule that this or another release of virtfn wrote. */
export function isOwnUdevRule(text: string): boolean {
  return text.startsWith(firstLine);
}
