export { withDefaults } from "./defaults.ts";
export { prepareSchema, type SchemaNode } from "./node.ts";
export { pruned, unknownFields } from "./prune.ts";
export { validateByRules } from "./rules.ts";
export { structOf } from "./struct-type.ts";
export { validateBySchema } from "./validate.ts";
