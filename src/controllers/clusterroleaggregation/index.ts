export { clusterRoleAggregationController } from "./aggregation-controller.ts";
