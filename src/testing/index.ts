export { startCluster, type TestCluster, type TestClusterOptions } from "./cluster.ts";
export { planSimulatedPod, type SimulatedBehaviour, type SimulatedNodeOptions } from "./simulated-nodes.ts";
export { VirtualClock, seededRandom } from "../base/index.ts";
export { ApiError } from "../apimachinery/index.ts";
export type * from "../api/index.ts";
