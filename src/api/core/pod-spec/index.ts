export { defaultPodOnly, defaultPodSpec, defaultPodTemplate, withServiceAccount } from "./defaults.ts";
export { qualityOfService } from "./resources.ts";
export { validatePodSpec, validatePodTemplate } from "./validate.ts";
export { taintEffects, validateNodeSelector } from "./validate-scheduling.ts";
