export { ServerSession } from "./server-session.ts";
export type { SessionLimits } from "./server-session.ts";
export type { BodyReader, ServerStream } from "./server-stream.ts";
