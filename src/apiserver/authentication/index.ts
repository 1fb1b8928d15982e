export * from "./authenticate.ts";
export * from "./authenticator.ts";
export * from "./bootstrap-tokens.ts";
export * from "./service-account-key.ts";
export * from "./token-authenticator.ts";
export * from "./token-issuer.ts";
