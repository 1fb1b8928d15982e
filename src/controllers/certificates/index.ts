export { approvingController } from "./approving-controller.ts";
export { cleanerController } from "./cleaner-controller.ts";
export { signingController } from "./signing-controller.ts";
export { trustBundlePublisher } from "./trust-bundle-publisher.ts";
