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

/** Keys of `original` whose values are otherwise `now`; what is not there any more is none. */
export function listDiffering(original: Values, now: Values): readonly string[] {
  return Object.keys(original).filter((key) => Object.hasOwn(now, key) && now[key] !== original[key]);
}

/** Those of `original` that are otherwise `now`. `name` makes a key a setting's name. */
export function findKept(
  original: Values,
  now: Values,
  name: (key: string) => string = (key) => key,
): readonly KeptSetting[] {
  return listDiffering(original, now).map((key) => ({
    setting: name(key),
    expected: String(original[key]),
    got: String(now[key]),
  }));
}
