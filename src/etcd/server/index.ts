export * from "./identity.ts";
export * from "./server.ts";
