// Files that are read again and again and seldom change: their text is checked once.

/**
 * As `parse`, which is called only when the text is another one than the last that was read of the same (`about`: the path of its
 * file, whose it is). What it throws is not kept. One value may be given many times: nobody may change it.
 */
export function parseWhenChanged<About extends readonly string[], Value>(
  parse: (text: string, ...about: About) => Value,
): (text: string, ...about: About) => Value {
  const known = new Map<string, { readonly text: string; readonly value: Value }>();
  return (text, ...about) => {
    const key = about.join(" ");
    const last = known.get(key);
    if (last?.text === text) return last.value;
    const value = parse(text, ...about);
    known.set(key, { text, value });
    return value;
  };
}
