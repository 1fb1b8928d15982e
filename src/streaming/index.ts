export * from "./upgrade-client.ts";
export * from "./upgrade-proxy.ts";
