// A word of a command that its reader is told to run.

/** `text` as one word of a POSIX shell, whatever is in it: an interface in a pod is called what the pod likes. */
export function quoteWord(text: string): string {
  return /^[\w.@:/-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
