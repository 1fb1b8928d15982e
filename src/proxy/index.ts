export { machineFirewall, prepareKernel } from "./nft.ts";
export { runProxy, type Firewall, type ProxyOptions } from "./proxy.ts";
