export { podResources, resourcesOf } from "./pod-resources.ts";
export { countedResource, missingStatement, quotaMatches, quotaUsage } from "./usage.ts";
