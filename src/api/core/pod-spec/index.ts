export {
  mirrorAnnotation,
  validateAnnotationsUpdate,
  validatePodAnnotations,
  validateProfilesMatch,
} from "./annotations.ts";
export { defaultPodOnly, defaultPodSpec, defaultPodTemplate, withServiceAccount } from "./defaults.ts";
export { qualityOfService } from "./resources.ts";
export { validatePodSpec, validatePodTemplate } from "./validate.ts";
export { validateImage } from "./validate-container.ts";
export { taintEffects, validateNodeSelector, validateTolerations } from "./validate-scheduling.ts";
export { podTemplateWarnings, podWarnings } from "./warnings.ts";
