export { accountItems } from "./auth/index.ts";
export * from "./identity.ts";
export * from "./server.ts";
