// Keeping registered while the node itself fails.

import { pino } from "pino";
import { expect, test } from "vitest";

import { createClock } from "../../../host/clock.ts";
import { SystemCallError } from "../../../host/errors.ts";
import { createFiles } from "../../../host/files.ts";
import { createPaths } from "../../../host/paths.ts";
import { keepRegistered, type Plugin } from "../../../kubelet/registration.ts";

function refuse(): never {
  throw new SystemCallError("stat", "/var/lib/kubelet", "EACCES");
}

test("a kubelet folder that cannot be looked at is a reason to wait, never the end", async () => {
  const stop = new AbortController();
  const reasons: string[] = [];
  const files = { ...createFiles(), stat: refuse };
  const host = { files, paths: createPaths("/nowhere"), clock: createClock(files) };
  const plugin: Plugin = {
    resource: "sriov/vf",
    socketName: "sriov_vf.sock",
    handlers: {} as Plugin["handlers"],
  };
  await keepRegistered(host, plugin, {
    signal: stop.signal,
    log: pino({ enabled: false }),
    onStatus: ({ reason }) => {
      reasons.push(reason);
      stop.abort();
    },
  });
  expect(reasons).toEqual(["the socket cannot be served: stat(/var/lib/kubelet) failed: EACCES"]);
});
