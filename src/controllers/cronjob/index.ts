export { cronJobController } from "./cronjob-controller.ts";
