// Debian's chromium for the test of the bench's report, where this machine can have it; says why not otherwise.

import { meetWish } from "../lab/prepare/requirements.ts";

const why = await meetWish("chromium", "chromium");
console.log(why === undefined ? "chromium is there" : `${why}: the test of the bench's report is skipped`);
