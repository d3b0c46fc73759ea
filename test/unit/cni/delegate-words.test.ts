// What an IPAM plugin says on stderr: it is handed on to the runtime's log, whatever comes of the call. Source: CNI spec 1.1.0, section 4.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = { cniVersion: "1.1.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", ipam };

/** The host, whose IPAM plugins say what they are asked, two lines each. */
function withWords(node: FakeHost): Host {
  const run: Host["exec"]["run"] = async (request) => {
    const result = await node.host.exec.run(request);
    return { ...result, stderr: `said at ${request.env["CNI_COMMAND"]}\nnearly full\n` };
  };
  return { ...node.host, exec: { run } };
}

test("every verb hands it on, beside the call's own lines, and stdout has none of it", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const host = withWords(node);
  const added = await callCni(host, config);
  expect(added.json).toMatchObject({ ips: [{ address: "192.0.2.2/24" }] });
  expect(added.stderr).toMatch(/^said at ADD\nnearly full\ntime=.* level=info msg="ADD done" .*$/);
  const later = { ...config, prevResult: added.json };
  for (const command of ["CHECK", "STATUS", "DEL", "GC"]) {
    const answer = await callCni(host, { ...later, "cni.dev/valid-attachments": [] }, { command });
    expect({ command, ...answer }).toMatchObject({ command, exitCode: 0, json: undefined });
    expect(answer.stderr).toContain(`said at ${command}\nnearly full`);
  }
});

test("so does an ADD that fails for it", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  node.ipam.failNextAdd({ exitCode: 1, stdout: '{"code":999,"msg":"no addresses left"}', stderr: "" });
  const { json, stderr } = await callCni(withWords(node), config);
  expect(json).toMatchObject({ code: 104, msg: expect.not.stringContaining("nearly full") as string });
  expect(stderr).toMatch(/^said at ADD\nnearly full\nsaid at DEL\n/);
});
