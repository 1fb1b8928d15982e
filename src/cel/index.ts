export { CelCache } from "./cache.ts";
export type { Checked } from "./check/checker.ts";
export type { FieldDeclaration, FunctionDeclaration, TypeProvider } from "./check/declarations.ts";
export {
  boolType,
  dynType,
  fullTypeName,
  intType,
  listType,
  mapType,
  nullType,
  objectType,
  sameType,
  stringType,
  type CelType,
} from "./check/types.ts";
export { estimateCost, type CostEstimator, type EstimatedNode } from "./cost/estimate.ts";
export { kubernetesEstimator } from "./cost/kubernetes-estimate.ts";
export type { Range } from "./cost/range.ts";
export {
  createEnvironment,
  type Compilation,
  type Environment,
  type EnvironmentOptions,
} from "./environment.ts";
export type { DeclaredType } from "./declared/declared-type.ts";
export { isExpressionName } from "./declared/names.ts";
export { declaredBySchema, type ExpressionSchema } from "./declared/schema.ts";
export {
  admissionEnvironment,
  jsonPatchType,
  objectPatchType,
  variableType,
  type AdmissionEnvironmentOptions,
} from "./environments/admission.ts";
export { deviceEnvironment, deviceEstimator } from "./environments/device.ts";
export { patchTypeProblems } from "./environments/patch-types.ts";
export { ruleEnvironment, ruleEstimator, usesOldSelf } from "./environments/rules.ts";
export type { Activation } from "./evaluate/frame.ts";
export { kubernetesEnvironment, type KubernetesEnvironmentOptions } from "./kubernetes.ts";
export {
  AuthorizerValue,
  ResourceCheck,
  authorizerType,
  resourceCheckType,
  type AccessAnswer,
  type AccessQuestion,
  type AccessReviewer,
  type ResourceQuestion,
} from "./library/authorizer.ts";
export { bindingsLibrary } from "./library/comprehensions.ts";
export { jsonPatchLibrary } from "./library/json-patch.ts";
export type { Library } from "./library/library.ts";
export { perCallLimit, type Evaluation, type Program } from "./program.ts";
export { Regex, patternProblem } from "./regex/index.ts";
export type { Issue } from "./syntax/issues.ts";
export { EvaluationError } from "./values/errors.ts";
export { toJson } from "./values/json.ts";
export { KeyedList, Optional, type Value } from "./values/value.ts";
