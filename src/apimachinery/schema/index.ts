export { createSchemaRegistry, type Model, type SchemaRegistry } from "./registry.ts";
export { protoOf } from "./facts-struct.ts";
export type { WireField, ProtoMessage, ProtoValue } from "./proto.ts";
export { SchemaAlternative } from "./special-types.ts";
export type * from "./types.ts";
