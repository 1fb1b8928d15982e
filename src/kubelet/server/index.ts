export { delegatedAuthorizer } from "./access.ts";
export type { KubeletAttributes, KubeletAuthorizer } from "./access.ts";
export type { KubeletPods } from "./routes.ts";
export { serveKubelet } from "./server.ts";
export type { ServeKubeletOptions, ServedKubelet } from "./server.ts";
