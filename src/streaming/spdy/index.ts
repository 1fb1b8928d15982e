export * from "./connection.ts";
export * from "./frames.ts";
export { HeaderBlockError } from "./header-block.ts";
export type { SpdyHeaders } from "./header-block.ts";
export { InflateError } from "./inflate.ts";
