export { createAggregation, type Aggregation } from "./aggregation.ts";
export type { ProxyIdentity } from "./registered-apis.ts";
