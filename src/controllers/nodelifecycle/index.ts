export { nodeLifecycleController } from "./node-lifecycle-controller.ts";
export { taintEvictionController } from "./taint-eviction-controller.ts";
