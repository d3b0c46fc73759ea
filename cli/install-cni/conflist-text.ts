// Puts a plugin into the text of a CNI configuration list, leaving every other byte of it as it is.

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The list `text` with `entry` as its last plugin, laid out like the plugin before it. `text` is valid JSON whose `plugins`
 * is an array of at least one object: numbers, key order and duplicate keys of other programs survive, as no byte is parsed and printed again.
 */
export function appendPlugin(text: string, entry: object): string {
  const plugins = locatePlugins(text);
  const last = plugins.at(-1);
  if (last === undefined) throw new RangeError("the list has no plugin to stand behind");
  const layout = /\s*$/.exec(text.slice(0, last.start))?.[0] ?? "";
  return `${text.slice(0, last.end)},${layout}${JSON.stringify(entry)}${text.slice(last.end)}`;
}

/** The list `text` with `entry` in the place of its plugin number `index`. */
export function replacePlugin(text: string, index: number, entry: object): string {
  const place = locatePlugins(text)[index];
  if (place === undefined) throw new RangeError(`the list has no plugin ${index}`);
  return `${text.slice(0, place.start)}${JSON.stringify(entry)}${text.slice(place.end)}`;
}

/** The list `text` without its plugin number `index`, which is not the first: what `appendPlugin` put there goes. */
export function removePlugin(text: string, index: number): string {
  const plugins = locatePlugins(text);
  const [before, place] = [plugins[index - 1], plugins[index]];
  if (before === undefined || place === undefined)
    throw new RangeError(`the list has no plugin ${index} behind another`);
  return `${text.slice(0, before.end)}${text.slice(place.end)}`;
}

/** Where each object of the top-level `plugins` array stands; of several keys of that name the last counts, as for JSON.parse. */
function locatePlugins(text: string): readonly Span[] {
  let plugins: Span[] = [];
  let depth = 0;
  let word = "";
  let inPlugins = false;
  let start = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === "{" || token === "[") {
      if (depth === 1) inPlugins = word === "plugins";
      if (depth === 1 && inPlugins) plugins = [];
      if (depth === 2) start = index;
      depth += 1;
    } else if (token === "}" || token === "]") {
      depth -= 1;
      if (depth === 2 && inPlugins) plugins.push({ start, end: index + 1 });
    } else if (token !== ":" && depth === 1) {
      word = String(JSON.parse(token));
    }
  }
  return plugins;
}
