export { jobController, ttlAfterFinishedController } from "./job-controller.ts";
