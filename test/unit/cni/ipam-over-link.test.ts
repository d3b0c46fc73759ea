// IPAM plugins that work through the interface, as dhcp does: it is up when they are asked for an address.

import * as fs from "node:fs";
import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };

test.each([
  ["dhcp", true],
  ["static", undefined],
])("%s", async (type, expected) => {
  using node = createFakeHost();
  node.addNetns("web-1");
  fs.writeFileSync(`${node.root}/opt/cni/bin/${type}`, "");
  let isUp: boolean | undefined;
  const run: Host["exec"]["run"] = ({ env }) => {
    using netns = node.host.namespaces.open("/run/netns/web-1");
    using inside = node.host.openNetlink(netns);
    if (env["CNI_COMMAND"] === "ADD") isUp = inside.getLink({ name: "net1" })?.isUp;
    const stdout = JSON.stringify({ ips: [{ address: "192.0.2.9/24" }] });
    return Promise.resolve({ exitCode: 0, stdout, stderr: "" });
  };
  const answer = await callCni({ ...node.host, exec: { run } }, { ...config, ipam: { type } });
  expect(answer).toMatchObject({ exitCode: 0 });
  expect(isUp).toBe(expected);
  expect(node.toText()).toMatch(/ {2}net1 0000:3b:02\.1 .* up /);
});
