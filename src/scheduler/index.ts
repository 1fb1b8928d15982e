export { runScheduler, type SchedulerOptions } from "./scheduler.ts";
export { tolerates } from "./plugins/taints.ts";
