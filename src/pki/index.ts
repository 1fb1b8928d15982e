export * from "./certificate.ts";
export * from "./cluster.ts";
