export { createOpenApi, type OpenApi, type OpenApiOptions } from "./openapi.ts";
export type { CustomSchemas } from "./custom.ts";
