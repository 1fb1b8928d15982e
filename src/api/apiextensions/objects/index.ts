export { withDefaults, withoutNulls } from "./defaults.ts";
export { coerceEmbedded, metadataType, validateEmbedded } from "./embedded.ts";
export { validateLists } from "./lists.ts";
export { prepareSchema, type SchemaNode } from "./node.ts";
export { pruned, unknownFields } from "./prune.ts";
export { hasRules, validateByRules, type RuleObserver } from "./rules.ts";
export { structOf } from "./struct-type.ts";
export { validateBySchema } from "./validate.ts";
