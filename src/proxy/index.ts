export { httpHealthChecks } from "./health-checks.ts";
export { firewallBy, machineFirewall, prepareKernel } from "./nft.ts";
export { runProxy, type Firewall, type HealthChecks, type ProxyOptions } from "./proxy.ts";
export { addServiceRoute, removeServiceRoute } from "./service-route.ts";
