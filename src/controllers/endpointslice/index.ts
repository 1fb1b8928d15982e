export { addressTypesOf, planBackends } from "./backends.ts";
export type { Backend } from "./backends.ts";
export {
  endpointSliceController,
  hasSelector,
  podsOf,
  watchServicesOfPods,
} from "./endpointslice-controller.ts";
export { planSlices } from "./plan.ts";
export type { SliceContent } from "./plan.ts";
export { TriggerTimes, triggerTimeAnnotation, withTriggerTime } from "./trigger-times.ts";
