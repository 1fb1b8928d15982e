export * from "./upgrade-proxy.ts";
