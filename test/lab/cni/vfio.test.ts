// VFs for programs in userspace on the real driver and the emulated IOMMU: bound by ADD, used, given back by DEL.
import { afterAll, beforeAll, expect, test } from "vitest";
import { openNewVfs, readVfState, waitForVfState } from "../demo/vf-state.ts";
import { barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall, readAdded, readAnswer } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { runScripts, type ScriptResult } from "../support/node-scripts.ts";
import { installVfioProgram } from "../support/vfio-program.ts";

const lab = await openLabUnderTest();
const vf = "0000:21:10.2";
const [first, second] = [barePod("fast-1"), barePod("fast-2")];
const config = {
  cniVersion: "1.1.0",
  name: "fast",
  type: "virtfn",
  deviceID: vf,
  driver: "vfio-pci",
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
};
const program = "/run/vfio-map";
const nodeConfig = "/etc/virtfn/node.yaml";
const prelude = mountKubeletView([vf], { [first.uid]: [vf], [second.uid]: [vf] });

async function run(...scripts: readonly string[]): Promise<readonly ScriptResult[]> {
  return runScripts(lab.node, scripts, { hasOwnMounts: true, prelude });
}

function call(command: string, pod: typeof first): string {
  return formatCall({ command, config, ...pod, ifName: "net1" });
}

beforeAll(async () => {
  await installVfioProgram(lab.node, program);
  await lab.node.run(`modprobe vfio-pci; mkdir -p /etc/virtfn
    echo 'limits: { "*": { driver: vfio-pci } }' >${nodeConfig}`);
  await makeNamespaces(lab.node, [first, second]);
});

afterAll(async () => {
  await removePods(lab.node, [first, second]);
  await lab.node.run(`rm -f ${nodeConfig} ${program}`);
});

test("a program in userspace maps memory for the VF, and DEL gives it back to its driver, for two pods in turn", async () => {
  await openNewVfs(lab.node);
  const before = await readVfState(lab.node);
  const use = `${program} $(basename $(readlink /sys/bus/pci/devices/${vf}/iommu_group)) ${vf} 2>&1`;
  const driver = `basename $(readlink /sys/bus/pci/devices/${vf}/driver)`;
  const ofPf = "ip link show ens1 | grep 'vf 1 '";
  const [added, bound, mapped, settings, busy, ended, home] = await run(
    call("ADD", first),
    driver,
    use,
    ofPf,
    call("ADD", second),
    call("DEL", first),
    driver,
  );
  const nic = { name: "net1", mac: config.mac, sandbox: first.netns, pciID: vf };
  expect(readAdded(added)["interfaces"]).toEqual([nic]);
  expect([bound?.stdout, mapped?.stdout]).toEqual(["vfio-pci", "mapped"]);
  expect(settings?.stdout).toContain(`link/ether ${config.mac} brd ff:ff:ff:ff:ff:ff, vlan 100`);
  expect(readAnswer(busy as ScriptResult).json).toMatchObject({ code: 11 });
  expect([ended?.exitCode, home?.stdout]).toEqual([0, "igbvf"]);
  // The first pod's namespace is still there.
  const [again, used, over, back] = await run(call("ADD", second), use, call("DEL", second), driver);
  expect([again?.exitCode, used?.stdout, over?.exitCode, back?.stdout]).toEqual([0, "mapped", 0, "igbvf"]);
  // A driver that has just got the VF has asked for no interrupt yet.
  await openNewVfs(lab.node);
  await waitForVfState(lab.node, before);
});
