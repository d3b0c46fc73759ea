// Quick looks into the kubelet's device checkpoint: of an ADD whose pod has no device, and of STATUS. No schema in here.

/**
 * Whether the checkpoint in `text` has no device of any resource for the pod; `undefined` where it does not tell whose its entries
 * are. What else stands in them, right or wrong (checkpoint.ts), is not looked at: with 64 VFs in pods it would cost every ADD 0.1 ms.
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

/** Whether `text` is a checkpoint for sure; false says nothing: the schema (checkpoint.ts) decides then. */
export function isCheckpoint(text: string): boolean {
  const data = member(parseJson(text), "Data");
  if (typeof data !== "object" || data === null) return false;
  const entries = member(data, "PodDeviceEntries");
  const isKnown = entries === null || (Array.isArray(entries) && entries.every(isEntry));
  return isKnown && isDeviceLists(member(data, "RegisteredDevices"));
}

function isEntry(entry: unknown): boolean {
  const response = member(entry, "AllocResp") ?? "";
  return (
    ["PodUID", "ContainerName", "ResourceName"].every((key) => typeof member(entry, key) === "string") &&
    typeof response === "string" &&
    isDeviceLists(member(entry, "DeviceIDs"))
  );
}

// Lists of device ids by resource, or by NUMA node.
function isDeviceLists(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== "object") return false;
  return Object.values(value).every((ids: unknown) => ids === null || isTexts(ids));
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
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
