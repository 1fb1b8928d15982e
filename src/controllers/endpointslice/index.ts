export { addressTypesOf, planBackends, targetPortOf } from "./backends.ts";
export type { Backend } from "./backends.ts";
export {
  endpointSliceController,
  hasSelector,
  podsOf,
  watchServicesOfPods,
} from "./endpointslice-controller.ts";
