export { claimProtectionController, volumeProtectionController } from "./protection-controllers.ts";
