// A valid attachment record, and any valid attachment record.

import * as fc from "fast-check";

import type { Attachment } from "../../sriov/attachment.ts";
import { formatPciAddress, parsePciAddress } from "../../sriov/pci-address.ts";

/** A record of VF 1 of the igb machine, attached by way of the kubelet. */
export const sampleAttachment: Attachment = {
  format: "1.0",
  owner: {
    containerId: "4f1c09",
    attachment: "eth0",
    network: "cluster",
    netns: "/var/run/netns/cni-1",
    cookie: "4097",
    pod: { namespace: "shop", name: "web-1", uid: "0b5c" },
  },
  interface: "net1",
  device: {
    address: parsePciAddress("0000:01:10.2"),
    pf: parsePciAddress("0000:01:00.0"),
    vf: 1,
    inode: "8123",
    ifindex: 7,
  },
  bootId: "11111111-2222-3333-4444-555555555555",
  state: "attached",
  createdAt: "2026-03-01T14:02:11.000Z",
  announce: "done",
  pickedBy: "kubelet",
  original: {
    name: "ens1f0v1",
    mac: "02:00:00:00:00:01",
    mtu: 1500,
    altNames: ["enp1s0f0v1"],
    adminMac: "00:00:00:00:00:00",
    vlan: 0,
    qos: 0,
    vlanProto: "802.1q",
    spoofchk: true,
    trust: false,
    minTxRateMbps: 0,
    maxTxRateMbps: 0,
    queues: [
      { queue: "rx-0", rpsCpus: "00", rpsFlowCnt: "0" },
      { queue: "tx-0", xpsCpus: "00" },
    ],
  },
  applied: {
    vlan: 100,
    addresses: ["10.1.0.2/24"],
    routes: [{ destination: "0.0.0.0/0", gateway: "10.1.0.1" }],
  },
  ipam: { type: "host-local", config: "{}", path: "/opt/cni/bin", interface: "net1", args: "" },
};

const address = fc
  .record({ domain: fc.nat(0xffff), id: fc.nat(0xffff) })
  .map(({ domain, id }) => formatPciAddress(domain, id));
const decimal = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String);
const name = fc.string({ minLength: 1 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const vfSide = {
  adminMac: maybe(name),
  vlan: maybe(fc.nat(4094)),
  qos: maybe(fc.nat(7)),
  vlanProto: maybe(fc.constantFrom("802.1q" as const, "802.1ad" as const)),
  spoofchk: maybe(fc.boolean()),
  trust: maybe(fc.boolean()),
  linkState: maybe(fc.constantFrom("auto" as const, "enable" as const, "disable" as const)),
  minTxRateMbps: maybe(fc.nat(100_000)),
  maxTxRateMbps: maybe(fc.nat(100_000)),
};

/** Any record that this release can write. */
export const anyAttachment: fc.Arbitrary<Attachment> = fc.record({
  format: fc.constant("1.0"),
  owner: fc.record({
    containerId: name,
    attachment: name,
    network: fc.string(),
    netns: fc.string(),
    cookie: decimal,
    pod: maybe(fc.record({ namespace: name, name, uid: name })),
  }),
  interface: name,
  device: fc.record({ address, pf: address, vf: fc.nat(1024), inode: decimal, ifindex: maybe(fc.nat()) }),
  bootId: name,
  state: fc.constantFrom("adding" as const, "attached" as const, "releasing" as const),
  createdAt: name,
  announce: fc.constantFrom("done" as const, "pending" as const),
  pickedBy: fc.constantFrom("kubelet" as const, "cni" as const),
  original: fc.record({
    ...vfSide,
    name: maybe(name),
    mac: maybe(name),
    mtu: maybe(fc.nat(9216)),
    altNames: fc.array(name),
    queues: fc.array(
      fc.record({
        queue: fc
          .tuple(fc.constantFrom("rx", "tx"), fc.nat(255))
          .map(([kind, number]) => `${kind}-${number}`),
        rpsCpus: maybe(name),
        rpsFlowCnt: maybe(name),
        xpsCpus: maybe(name),
        xpsRxqs: maybe(name),
      }),
    ),
  }),
  applied: fc.record({
    ...vfSide,
    mac: maybe(name),
    mtu: maybe(fc.nat(9216)),
    addresses: fc.array(name),
    routes: fc.array(
      fc.record({
        destination: name,
        gateway: maybe(name),
        metric: maybe(fc.nat()),
        table: maybe(fc.nat()),
        mtu: maybe(fc.nat()),
        advmss: maybe(fc.nat()),
      }),
    ),
  }),
  ipam: maybe(fc.record({ type: name, config: name, path: name, interface: name, args: fc.string() })),
  tuning: maybe(fc.record({ policy: maybe(name) })),
});
