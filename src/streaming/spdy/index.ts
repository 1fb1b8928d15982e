export * from "./connection.ts";
export * from "./frames.ts";
export type { SpdyHeaders } from "./header-block.ts";
