export { podSecurity } from "./pod-security.ts";
export type { PodSecurityOptions } from "./pod-security.ts";
