// VFs as drivers report them: igb's answer, recorded on Linux 6.12 with what `ip -j -d link` said of it, and some built by hand.

import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { createLibc, type Libc } from "../../../../host/libc.ts";
import { concatBytes, type Attribute } from "../../../../host/netlink/codec.ts";
import { decodeLink, encodeLinkBody } from "../../../../host/netlink/link.ts";
import { encodeMessage } from "../../../../host/netlink/message.ts";
import { NetlinkSocket } from "../../../../host/netlink/socket.ts";
import { encodeMac, encodeU32s } from "../../../../host/netlink/values.ts";
import { describeVfChange } from "../../../../host/netlink/vf-change.ts";
import { decodeVfOfPf, decodeVfs, listVfsRequest } from "../../../../host/netlink/vf.ts";

const unreported = 0xffff_ffff;

function link(...vfs: readonly (readonly Attribute[])[]): Uint8Array {
  const list = vfs.map((value) => ({ type: 1, value }));
  return encodeLinkBody(2, [
    { type: 3, value: new TextEncoder().encode("pf\0") },
    { type: 22, value: list },
  ]);
}

function mac(vf: number, text: string): Attribute {
  return { type: 1, value: concatBytes([encodeU32s(vf), encodeMac(text), new Uint8Array(26)]) };
}

function igb(vf: number): readonly Attribute[] {
  return [
    mac(vf, "02:00:00:00:00:01"),
    { type: 13, value: new Uint8Array(32) },
    { type: 2, value: encodeU32s(vf, 100, 5) },
    { type: 6, value: encodeU32s(vf, 0, 500) },
    { type: 3, value: encodeU32s(vf, 500) },
    { type: 4, value: encodeU32s(vf, 1) },
    { type: 5, value: encodeU32s(vf, 0) },
    { type: 7, value: encodeU32s(vf, unreported) },
    { type: 9, value: encodeU32s(vf, 0) },
    {
      type: 12,
      value: [{ type: 1, value: concatBytes([encodeU32s(vf, 100, 5), Uint8Array.of(0x81, 0, 0, 0)]) }],
    },
  ];
}

/** One entry of ip's `vfinfo_list`. */
interface IpVf {
  readonly vf: number;
  readonly address: string;
  readonly vlan_list: readonly {
    readonly vlan?: number;
    readonly qos?: number;
    readonly protocol?: string;
  }[];
  readonly rate: { readonly min_tx: number; readonly max_tx: number };
  readonly spoofchk: boolean;
  readonly trust: boolean;
  readonly link_state: string;
}

interface Recorded {
  readonly hex: string;
  readonly ip: readonly {
    readonly ifindex: number;
    readonly vfinfo_list: readonly IpVf[];
    readonly parentdev: string;
  }[];
}

describe("decodeVfs", () => {
  it("agrees with ip about the VFs of a real igb, one of them with settings", () => {
    const path = join(import.meta.dirname, "../../../fixtures/netlink/igb-vfs.json");
    const recorded = JSON.parse(readFileSync(path, "utf8")) as Recorded;
    const body = Uint8Array.from(Buffer.from(recorded.hex, "hex"));
    const [pf] = recorded.ip;
    const expected = pf?.vfinfo_list.map((one) => ({
      vf: one.vf,
      mac: one.address,
      vlan: one.vlan_list[0]?.vlan ?? 0,
      qos: one.vlan_list[0]?.qos ?? 0,
      vlanProto: one.vlan_list[0]?.protocol ?? "802.1q",
      spoofchk: one.spoofchk,
      trust: one.trust,
      linkState: one.link_state,
      minTxRateMbps: one.rate.min_tx,
      maxTxRateMbps: one.rate.max_tx,
    }));
    expect(expected).toHaveLength(7);
    expect(decodeVfs(body)).toEqual(expected);
    expect(expected?.[6]).toMatchObject({
      mac: "02:00:00:00:06:06",
      vlan: 100,
      qos: 5,
      maxTxRateMbps: 100,
      trust: true,
    });
    expect(decodeLink(body)).toMatchObject({ index: pf?.ifindex, parentDevice: pf?.parentdev });
  });

  it("reads each setting", () => {
    expect(decodeVfs(link(igb(1)))).toEqual([
      {
        vf: 1,
        mac: "02:00:00:00:00:01",
        vlan: 100,
        qos: 5,
        vlanProto: "802.1q",
        spoofchk: true,
        trust: false,
        linkState: "auto",
        minTxRateMbps: 0,
        maxTxRateMbps: 500,
      },
    ]);
  });

  it("gives one of them as the whole list does, with its PF, and nothing for one that is not there", () => {
    const body = link(...Array.from({ length: 3 }, (_, vf) => igb(vf)));
    const [, second] = decodeVfs(body);
    expect(decodeVfOfPf(body, 1)).toEqual({ pfIndex: 2, pfName: "pf", info: second });
    expect(decodeVfOfPf(body, 3)).toBeUndefined();
    expect(decodeVfOfPf(encodeLinkBody(2), 0)).toBeUndefined();
  });

  it("fits 256 VFs into one answer, and the answer into the buffer of a socket", () => {
    const body = link(...Array.from({ length: 256 }, (_, vf) => igb(vf)));
    const answer = concatBytes([
      encodeMessage({ type: 16, flags: 0, body }, 1),
      encodeMessage({ type: 2, flags: 0, body: new Uint8Array(4) }, 1),
    ]);
    const recv: Libc["recv"] = (_fd, into) => {
      into.set(answer.subarray(0, into.length));
      return answer.length;
    };
    const libc: Libc = { ...createLibc(), setsockopt: () => {}, send: () => {}, recv };
    using socket = new NetlinkSocket(libc, openSync("/dev/null", "r"));
    const vfs = decodeVfs(socket.get("list VFs of link 2", listVfsRequest({ index: 2 })));
    expect(vfs.map(({ vf }) => vf)).toEqual(Array.from({ length: 256 }, (_, vf) => vf));
  });

  it("leaves undefined what the driver does not report, and what an old kernel does not have", () => {
    const bare = [mac(0, "00:00:00:00:00:00"), { type: 4, value: encodeU32s(0, unreported) }];
    expect(decodeVfs(link(bare))).toEqual([
      {
        vf: 0,
        mac: "00:00:00:00:00:00",
        vlan: 0,
        qos: 0,
        vlanProto: "802.1q",
        spoofchk: undefined,
        trust: undefined,
        linkState: undefined,
        minTxRateMbps: undefined,
        maxTxRateMbps: undefined,
      },
    ]);
  });

  it("reads the protocol from the list, and does without the list", () => {
    const list = {
      type: 12,
      value: [{ type: 1, value: concatBytes([encodeU32s(0, 7, 1), Uint8Array.of(0x88, 0xa8, 0, 0)]) }],
    };
    const [stacked] = decodeVfs(link([mac(0, "02:00:00:00:00:00"), list]));
    expect(stacked).toMatchObject({ vlan: 7, qos: 1, vlanProto: "802.1ad" });
    const [single] = decodeVfs(link([mac(0, "02:00:00:00:00:00"), { type: 2, value: encodeU32s(0, 9, 2) }]));
    expect(single).toMatchObject({ vlan: 9, qos: 2, vlanProto: "802.1q" });
  });

  it("gives none for a link that has none", () => {
    expect(decodeVfs(encodeLinkBody(2, []))).toEqual([]);
    expect(decodeVfs(link())).toEqual([]);
  });
});

describe("describeVfChange", () => {
  it("says what is set, for messages", () => {
    const texts = (
      [
        { set: "mac", mac: "02:00:00:00:00:01" },
        { set: "vlan", vlan: 100, qos: 5, vlanProto: "802.1ad" },
        { set: "rate", minTxRateMbps: 0, maxTxRateMbps: 500 },
        { set: "trust", value: true },
        { set: "spoofchk", value: false },
        { set: "linkState", value: "enable" },
      ] as const
    ).map((change) => describeVfChange(2, 3, change));
    expect(texts).toMatchInlineSnapshot(`
      [
        "set vf 3 of link 2: mac 02:00:00:00:00:01",
        "set vf 3 of link 2: vlan 100 qos 5 proto 802.1ad",
        "set vf 3 of link 2: min_tx_rate 0 max_tx_rate 500 Mbit/s",
        "set vf 3 of link 2: trust on",
        "set vf 3 of link 2: spoofchk off",
        "set vf 3 of link 2: state enable",
      ]
    `);
  });
});
