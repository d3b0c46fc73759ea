// What is in force while the configuration's file is changed, spoilt and mended.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname } from "node:path";

import { pino } from "pino";
import { expect, test } from "vitest";

import { ConfigSource } from "../../../deviceplugin/config-source.ts";
import { createFakeHost } from "../../support/fake-host.ts";

test.each([
  { name: "a pipe", spoil: (path: string) => void execFileSync("mkfifo", [path]) },
  { name: "a folder", spoil: (path: string) => fs.mkdirSync(path) },
])("with the file as it was in the place of $name nothing is wrong any more", ({ spoil }) => {
  using node = createFakeHost();
  const config = new ConfigSource(node.host, {
    configFile: undefined,
    prefix: "sriov",
    log: pino({ level: "silent" }),
  });
  const path = node.host.paths.resourceConfig;
  const write = (): void => {
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, "resourceList: [{ resourceName: vf }]");
  };
  write();
  const pools = config.read();
  expect([pools?.map(({ name }) => name), config.problem]).toEqual([["sriov/vf"], undefined]);
  fs.rmSync(path);
  spoil(path);
  expect(config.read()).toBe(pools);
  expect(config.problem).toContain(path);
  fs.rmSync(path, { recursive: true });
  write();
  expect([config.read(), config.problem]).toEqual([pools, undefined]);
});
