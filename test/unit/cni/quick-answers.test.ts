// Generated calls: what is answered quickly the whole of the verb answers so, too. In full: npm run soak.

import { expect, test } from "vitest";

import { runQuickCalls } from "../../support/quick-calls-run.ts";

test("1,000 generated calls", async () => {
  const answered = await runQuickCalls(1000, 42);
  for (const verb of ["ADD", "STATUS", "VERSION"]) expect(answered.get(verb)).toBeGreaterThan(30);
}, 120_000);
