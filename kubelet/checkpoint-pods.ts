// Whether the kubelet's device checkpoint says anything of a pod: the quick look of an ADD whose pod has no device. No schema in here.

/**
 * Whether the checkpoint in `text` has no device of any resource for the pod; `undefined` when it is not of the form known
 * (checkpoint.ts), which then tells what is wrong with it.
 */
export function isWithoutDevices(text: string, podUid: string): boolean | undefined {
  const data = member(parseJson(text), "Data");
  const entries = member(data, "PodDeviceEntries");
  // Go writes an empty slice as null.
  if (entries === null) return true;
  if (!Array.isArray(entries)) return undefined;
  const uids = entries.map((entry) => member(entry, "PodUID"));
  return uids.every((uid) => typeof uid === "string") ? !uids.includes(podUid) : undefined;
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
