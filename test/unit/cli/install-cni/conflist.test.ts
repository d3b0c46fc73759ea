// Where the chained entry goes, what survives around it, and which lists are left alone.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { planConflist } from "../../../../cli/install-cni/conflist.ts";
import type { EntrySettings } from "../../../../cli/install-cni/entry-file.ts";

const supported = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"];
const entry =
  '{"type":"virtfn","capabilities":{"deviceID":true,"mac":true,"ips":true,"io.kubernetes.cri.pod-annotations":true}}';

function plan(text: string, settings?: EntrySettings): ReturnType<typeof planConflist> {
  return planConflist(text, { type: "virtfn", supported, settings });
}

test("the entry goes behind the last plugin, laid out like it, and every other byte stays", () => {
  const text = `{
  "cniVersion": "1.0.0", "name": "cluster",
  "x-limit": 12345678901234567890,
  "plugins": [
    { "type": "bridge", "ipam": { "ranges": [[{ "subnet": "10.244.1.0/24" }]] } },
    { "type": "portmap", "note": "a \\"] , } trap" }
  ],
  "disableCheck": true
}
`;
  const before = '    { "type": "portmap", "note": "a \\"] , } trap" }';
  expect(plan(text)).toEqual({ kind: "write", text: text.replace(before, `${before},\n    ${entry}`) });
});

test.each([
  ['{"name":"c","cniVersion":"0.3.1","plugins":[{"type":"ptp"}]}', `[{"type":"ptp"},${entry}]`],
  [
    '{"plugins":[{"type":"lost"}],"name":"c","cniVersion":"0.4.0","plugins":[{"type":"ptp"}]}',
    `[{"type":"ptp"},${entry}]`,
  ],
  [
    '{"args":{"plugins":[{"type":"deep"}]},"name":"c","cniVersion":"1.0.0","plugins":[{"type":"ptp"}]}',
    `[{"type":"ptp"},${entry}]`,
  ],
  [
    String.raw`{"name":"c","cniVersion":"1.0.0","\u0070lugins":[{"type":"ptp","a":[{}]}]}`,
    `[{"type":"ptp","a":[{}]},${entry}]`,
  ],
  [
    '{"name":"c","cniVersion":"0.4.0","cniVersions":["0.4.0","1.0.0"],"plugins":[{"type":"ptp"}]}',
    `[{"type":"ptp"},${entry}]`,
  ],
  [
    '{"name":"c","cniVersion":"1.0.0","cniVersions":["1.0.0","1.1.0"],"plugins":[{"type":"ptp"}]}',
    `[{"type":"ptp"},${entry}]`,
  ],
  ['{"name":"c","cniVersion":"1.1.0","plugins":[{"type":"ptp"}]}', `[{"type":"ptp"},${entry}]`],
])("%s gets the entry at the end of its own plugins", (text, plugins) => {
  const planned = plan(text);
  expect(planned.kind === "write" && planned.text).toContain(plugins);
});

test.each([
  ["", "expected JSON"],
  ['{"name":"c","cniVersion":"1.0.0","plugins":[{"type":"ptp"}', "expected JSON"],
  ["[]", "name: is missing | plugins: is missing"],
  ['"text"', "top level: expected Object"],
  ['{"name":"c","cniVersion":"1.0.0"}', "plugins: is missing"],
  ['{"name":"c","cniVersion":"1.0.0","plugins":[]}', "plugins: expected >=1, got 0"],
  ['{"name":"c","cniVersion":"1.0.0","plugins":["ptp"]}', 'plugins.0: expected Object, got "ptp"'],
  ['{"name":"c","cniVersion":"1.0.0","plugins":[{}]}', "plugins.0.type: is missing"],
  ['{"cniVersion":"1.0.0","plugins":[{"type":"ptp"}]}', "name: is missing"],
  [
    '{"name":"c","cniVersion":"1.2.0","plugins":[{"type":"ptp"}]}',
    "cniVersion: expected one that virtfn answers to (0.3.1, 0.4.0, 1.0.0, 1.1.0), got 1.2.0",
  ],
  ['{"name":"c","plugins":[{"type":"ptp"}]}', "got 0.1.0"],
  ['{"name":"c","cniVersion":"1.0.0","cniVersions":["1.2.0"],"plugins":[{"type":"ptp"}]}', "got 1.2.0"],
  [`{"name":"c","cniVersion":"1.0.0","plugins":[{"type":"ptp"},${entry},${entry}]}`, "got 2"],
])("%s is left alone, and it says why", (text, problem) => {
  const planned = plan(text);
  expect(planned.kind === "refuse" && planned.problem).toContain(problem);
});

test("an entry of virtfn, also one that an administrator wrote, is kept as it is", () => {
  const own = '{"type":"virtfn","networks":[{"resource":"sriov/fast"}]}';
  expect(plan(`{"name":"c","cniVersion":"1.0.0","plugins":[{"type":"ptp"},${own}]}`)).toEqual({
    kind: "keep",
  });
});

test("wanted settings make the whole entry, in its place, and are kept the second time", () => {
  const around = [
    '{"name":"c","cniVersion":"1.0.0","plugins":[{"type":"ptp"}, ',
    ',{"type":"last"}]}',
  ] as const;
  const settings = { networks: [{ resource: "sriov/vf", vlan: 100 }] };
  const wanted = entry.replace(/}$/, ',"networks":[{"resource":"sriov/vf","vlan":100}]}');
  const planned = plan(around.join('{"type":"virtfn", "withMultus":true}'), settings);
  expect(planned).toEqual({ kind: "write", text: around.join(wanted) });
  expect(plan(around.join(wanted), settings)).toEqual({ kind: "keep" });
  expect(plan(around.join(wanted), { networks: [{ resource: "sriov/vf" }] }).kind).toBe("write");
  const fresh = plan('{"name":"c","cniVersion":"1.0.0","plugins":[{"type":"ptp"}]}', settings);
  expect(fresh.kind === "write" && fresh.text).toContain(`[{"type":"ptp"},${wanted}]`);
});

test("any list gets exactly one entry, keeps its other content, and is kept the second time", () => {
  const plugin = fc.record({ type: fc.string().filter((type) => type !== "virtfn"), extra: fc.jsonValue() });
  const list = fc.record({
    name: fc.string(),
    before: fc.jsonValue(),
    cniVersion: fc.constantFrom(...supported),
    plugins: fc.array(plugin, { minLength: 1, maxLength: 4 }),
    after: fc.jsonValue(),
  });
  fc.assert(
    fc.property(list, fc.constantFrom(undefined, 2, "\t"), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const planned = plan(text);
      if (planned.kind !== "write") throw new Error(`expected a new text, got ${planned.kind}`);
      const same = JSON.parse(JSON.stringify(value)) as typeof value;
      expect(JSON.parse(planned.text)).toEqual({ ...same, plugins: [...same.plugins, JSON.parse(entry)] });
      expect(plan(planned.text)).toEqual({ kind: "keep" });
    }),
  );
});
