// The VF's netdev on the host, while links are renamed.

import { expect, test } from "vitest";

import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { findHomeLink } from "../../../sriov/vf-locate.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const address = parsePciAddress("0000:3b:02.1");

test("a link that got the VF's name between the two looks is not taken for the VF", () => {
  using node = createFakeHost();
  const { files, paths } = node.host;
  let looks = 0;
  const list: typeof files.list = (path) => {
    if (path !== `${paths.sys}/bus/pci/devices/${address}/net`) return files.list(path);
    looks += 1;
    return looks === 1 ? ["ens1f0v2"] : files.list(path);
  };
  using home = node.host.openNetlink();
  expect(findHomeLink({ paths, files: { ...files, list } }, home, address)?.name).toBe("ens1f0v1");
  expect(looks).toBe(2);
});
