export { daemonSetController } from "./daemonset-controller.ts";
export { tolerates } from "./nodes.ts";
