// What the node's labels say of its VFs, for who places pods by more than a count.
import type { Scan } from "./scanner.ts";

/** Labels of this prefix are the device plugin's, and no others. */
const labelPrefix = "virtfn/";

export type Labels = Readonly<Record<string, string>>;

/** `virtfn/vfs`: how many VFs are offered; `virtfn/driver.NAME`: there is a PF with that driver and VFs. */
export function listLabels({ resources, pfs }: Pick<Scan, "resources" | "pfs">): Labels {
  const vfs = [...resources.values()].reduce((sum, { devices }) => sum + devices.size, 0);
  const drivers = [...pfs.values()].flatMap(({ driver, numVfs }) =>
    driver !== undefined && numVfs > 0 ? [[`${labelPrefix}driver.${driver}`, "true"] as const] : [],
  );
  return { [`${labelPrefix}vfs`]: String(vfs), ...Object.fromEntries(drivers) };
}

/** What to set, and with `null` what to remove, so that of the labels `now` ours are `desired`; empty when nothing differs. */
export function planLabels(now: Labels, desired: Labels): Readonly<Record<string, string | null>> {
  const stale = Object.keys(now).filter((key) => key.startsWith(labelPrefix) && desired[key] === undefined);
  const changed = Object.entries(desired).filter(([key, value]) => now[key] !== value);
  return Object.fromEntries([...stale.map((key) => [key, null] as const), ...changed]);
}
