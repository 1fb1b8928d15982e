import type { Resource } from "../../apimachinery/index.ts";
import { definitionOf as writtenDefinitionOf } from "../../api/index.ts";
import type { ResourceDefinition } from "../../api/index.ts";
import type { AnyObject } from "../registry/entry.ts";
import { restamp } from "../registry/served.ts";

/** The rules of a built-in resource. */
export function definitionOf(resource: Resource): ResourceDefinition {
  return writtenDefinitionOf(resource) ?? { resource };
}

/** A built-in object in another version of its kind. */
export function convert(object: AnyObject, to: Resource): AnyObject {
  return restamp(object, to);
}
