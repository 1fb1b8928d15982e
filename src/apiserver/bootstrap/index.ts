export { publishApiServices } from "./api-services.ts";
export { keepClientAuthority } from "./authentication-configuration.ts";
export { componentStatuses } from "./component-status.ts";
export { maintainFlowControl, runFlowControl, type FlowControlOptions } from "./flow-control.ts";
export { runIdentityLease } from "./identity.ts";
export { ServerLeases } from "./server-leases.ts";
