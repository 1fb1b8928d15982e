export { daemonSetController } from "./daemonset-controller.ts";
