export { applyPatch, objectText, type Applied, type ApplyRequest } from "./apply.ts";
export { applyConfiguration } from "./configuration.ts";
export type { Comparison } from "./compare.ts";
export type { FieldSet } from "./field-set.ts";
export * as fieldSets from "./field-set.ts";
export { specFields, statusFields } from "./reset-fields.ts";
export { updateManagedFields, type ManagedFieldsUpdate } from "./update.ts";
export type { Convert } from "./versions.ts";
