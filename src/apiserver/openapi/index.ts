export { createOpenApi, type OpenApi, type OpenApiOptions } from "./openapi.ts";
export type { CustomSchemas } from "./custom.ts";
export { swaggerBelow, type RemoteOpenApi, type Swagger } from "./remote.ts";
