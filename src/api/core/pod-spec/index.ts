export {
  mirrorAnnotation,
  validateAnnotationsUpdate,
  validatePodAnnotations,
  validateProfilesMatch,
} from "./annotations.ts";
export { defaultPodOnly, defaultPodSpec, defaultPodTemplate, withServiceAccount } from "./defaults.ts";
export { validateNoBacksteps } from "./paths.ts";
export { qualityOfService } from "./resources.ts";
export { validatePodSpec, validatePodTemplate } from "./validate.ts";
export { validateImage } from "./validate-container.ts";
export { taintEffects, validateNodeSelector, validateTolerations } from "./validate-scheduling.ts";
export {
  missing,
  sourceRules,
  validateDriverName,
  validateSources,
  type SourceRule,
} from "./volume-sources.ts";
export { podTemplateWarnings, podWarnings, workloadWarnings } from "./warnings.ts";
export { oldSourceWarnings } from "./warnings-volumes.ts";
