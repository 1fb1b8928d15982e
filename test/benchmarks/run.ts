import { availableParallelism, loadavg } from "node:os";
import { measureApi } from "./api.ts";
import { measureCluster } from "./cluster.ts";
import { measureDefinitions } from "./definitions.ts";
import { measureLatency } from "./latency.ts";
import { measurePolicies } from "./policies.ts";
import { measureScale } from "./scale.ts";
import { measureScheduler } from "./scheduler.ts";
import { measureSoak } from "./soak.ts";
import { measureStore } from "./store.ts";

const suites = {
  cluster: measureCluster,
  api: measureApi,
  store: measureStore,
  scheduler: measureScheduler,
  latency: measureLatency,
  scale: measureScale,
  policies: measurePolicies,
  definitions: measureDefinitions,
  soak: measureSoak,
} as const;
/** Takes ten minutes: only when it is named. */
const longSuite = "soak";

/** Runs the suites named on the command line, or all short ones, and prints a table each. */
async function main(names: readonly string[]): Promise<void> {
  const load = loadavg()[0]?.toFixed(1);
  console.log(`Node.js ${process.version}, ${availableParallelism()} cores, load ${load}`);
  for (const [name, measure] of Object.entries(suites)) {
    if (names.length > 0 ? !names.includes(name) : name === longSuite) continue;
    console.log(`\n${name}`);
    console.table(await measure());
  }
}

await main(process.argv.slice(2));
