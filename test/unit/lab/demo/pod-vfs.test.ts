// When the demo takes a VF for tuned, and what it says of one that is not.
import { expect, test } from "vitest";
import { assertTuned, type PodVf } from "../../../lab/demo/pod-vfs.ts";

const vf: PodVf = {
  pod: "left",
  pciAddress: "0000:21:10.0",
  name: "net1",
  mac: "02:00:00:00:00:01",
  address: "10.56.0.2",
  rpsMask: "1",
  vectors: [
    { irq: 40, cpus: "0", handler: "net1-tx-0" },
    { irq: 41, cpus: "1", handler: "net1-rx-0" },
    { irq: 42, cpus: "0-1", handler: "net1" },
  ],
};

function withRx(cpus: string): PodVf {
  const [tx, rx, mailbox] = vf.vectors;
  return { ...vf, vectors: [tx, { ...rx, cpus }, mailbox] as PodVf["vectors"] };
}

test("each queue's interrupt on one CPU and a mask is tuned, wherever the mailbox is", () => {
  expect(() => assertTuned([vf, { ...vf, rpsMask: "00000000,00000100" }])).not.toThrow();
});

test.each([
  ["an interrupt is on all CPUs of the node, as the kernel leaves it", withRx("0-1")],
  ["the mask is empty", { ...vf, rpsMask: "00000000" }],
  ["the mask cannot be read", { ...vf, rpsMask: "none" }],
  ["the interface has no interrupt yet", { ...vf, vectors: [] }],
])("it is not when %s", (_why, untuned) => {
  expect(() => assertTuned([vf, untuned])).toThrow(/^not tuned:\nPOD .*\nleft +0000:21:10\.0 .*$/);
});
