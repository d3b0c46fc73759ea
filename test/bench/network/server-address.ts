// Where a client looks for the node under test: a name or an IPv4 or IPv6 address, with or without a port.

export interface ServerAddress {
  readonly host: string;
  /** `undefined`: the port of `--port`. */
  readonly port: number | undefined;
}

/** "node", "192.0.2.10:7715", "2001:db8::1", "[2001:db8::1]:7715"; `undefined` for anything else. */
export function parseServerAddress(text: string): ServerAddress | undefined {
  const bare = /^[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[^\s/%]+)?$/.test(text);
  if (bare) return { host: text, port: undefined };
  const [, inBrackets, name, digits] =
    /^(?:\[([0-9A-Fa-f:.]+(?:%[^\s/%]+)?)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = inBrackets ?? name;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || port === 0 || (port ?? 1) > 65_535) return undefined;
  return { host, port };
}
