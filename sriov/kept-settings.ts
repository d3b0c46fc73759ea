// What a VF keeps of a pod although it was to be put back: told, since the next pod has it then, and no reason to keep a pod from ending.

/** A setting of a netdev, in the words of the tool that shows it; `got` is how it stays. */
export interface KeptSetting {
  readonly setting: string;
  readonly expected: string;
  readonly got: string;
}

/** What is told of each. */
export const keptMessage =
  "the VF keeps a setting of the pod: its driver does not take the one of before again";

type Values = Readonly<Record<string, number | string>>;

/** Those of `original` that are otherwise `now`; what is not there any more is no setting. `name` makes a key a setting's name. */
export function findKept(
  original: Values,
  now: Values,
  name: (key: string) => string = (key) => key,
): readonly KeptSetting[] {
  return Object.entries(original).flatMap(([key, expected]) => {
    const got = now[key];
    if (got === undefined || got === expected) return [];
    return [{ setting: name(key), expected: String(expected), got: String(got) }];
  });
}
