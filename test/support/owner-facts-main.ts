// A process of its own that prints the facts about an owner: tests start it in another mount namespace.
// Arguments: the record as JSON, the root of /sys, the host's root as seen from there.

import { createHost } from "../../host/create-host.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import { readOwnerFacts } from "../../sriov/owner-facts.ts";

const [record = "", sys = "", hostRoot = ""] = process.argv.slice(2);
const host = createHost({ hostRoot });
const facts = readOwnerFacts({ ...host, paths: { ...host.paths, sys } }, JSON.parse(record) as Attachment);
process.stdout.write(JSON.stringify(facts));
