export { goKind, goText, goType, jsonEquals } from "./json.ts";
export { JsonPatchError, applyJsonPatch, performJsonPatch } from "./json-patch.ts";
export { applyMergePatch } from "./merge-patch.ts";
export { strategicMergePatch } from "./strategic-merge-patch.ts";
