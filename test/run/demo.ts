// `npm run demo [-- --keep]`: the main job, shown on an emulated SR-IOV node with a real Kubernetes.
import { runDemo } from "../lab/demo/main.ts";

process.exit(await runDemo(process.argv.slice(2)));
