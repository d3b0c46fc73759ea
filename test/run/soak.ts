// `npm run soak`: the storm and the fuzz in full, with their times; the last line is the sum, as of `npm test`.

import { printSummary, runProject } from "./suite.ts";

const result = await runProject("soak");
printSummary([result]);
process.exitCode = result.failed > 0 ? 1 : 0;
