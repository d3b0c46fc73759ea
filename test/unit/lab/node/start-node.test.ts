// Tests waitForBoot of test/lab/node/start-node.ts.
import { expect, test } from "vitest";
import { waitForBoot } from "../../../lab/node/start-node.ts";

test("a wait for the boot ends with its QEMU, so that it does not reset the node that is started in its place", async () => {
  const died = new Error("qemu ended with signal SIGABRT");
  let seen: AbortSignal | undefined;
  const node = {
    waitForBoot: ({ signal }: { readonly signal?: AbortSignal } = {}) => {
      seen = signal;
      return new Promise<string>(() => {});
    },
  };
  const child = { whileRunning: async <T>(_work: Promise<T>): Promise<T> => await Promise.reject(died) };
  await expect(waitForBoot({ child, node }, new AbortController().signal)).rejects.toBe(died);
  expect(seen?.aborted).toBe(true);
});
