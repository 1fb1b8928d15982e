export * from "./serve.ts";
export { flagOf } from "./query.ts";
export type { DocumentSource } from "./documents.ts";
export type { ConnectHandler, ConnectRequest, Delegate } from "./handler.ts";
export type { BodyStream, Exchange, ResponseHeaders } from "./exchange.ts";
export type { ServerTls, Upgrade } from "./listener.ts";
export type { HealthCheck } from "./health.ts";
export type { RequestHeaderOptions } from "./request-header.ts";
export type { RequestInfo } from "./request-info.ts";
