export { countedResource, entriesFor, missingStatement, negativeEntries } from "./entries.ts";
export { podResources, resourcesOf } from "./pod-resources.ts";
export { isTerminating, quotaMatches, scopeMatches, scopesOf } from "./scopes.ts";
export type { ScopeRequirement } from "./scopes.ts";
export { quotaUsage } from "./usage.ts";
