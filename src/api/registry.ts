import type { Resource } from "../apimachinery/index.ts";
import { qualifiedName } from "../apimachinery/index.ts";
import { generalColumns } from "./common/columns.ts";
import type { ResourceDefinition } from "./definition.ts";
import resourceFacts from "./facts/resources.json" with { type: "json" };
import { writtenDefinitions } from "./written.ts";

/** Every resource that the API server serves, with its rules. */
export const definitions: readonly ResourceDefinition[] = Object.freeze(collect());

const byName = new Map(definitions.map((definition) => [nameOf(definition.resource), definition]));

/** The rules of a resource: those written for it, or the general ones. */
export function definitionOf(
  resource: Pick<Resource, "group" | "version" | "plural">,
): ResourceDefinition | undefined {
  return byName.get(nameOf(resource));
}

function collect(): readonly ResourceDefinition[] {
  const written = new Map(writtenDefinitions.map((definition) => [nameOf(definition.resource), definition]));
  return resourceFacts.map(
    ({ group, version, kind, plural, namespaced }) =>
      written.get(nameOf({ group, version, plural })) ?? {
        resource: Object.freeze({ group, version, kind, plural, namespaced }),
        columns: generalColumns,
      },
  );
}

function nameOf(resource: Pick<Resource, "group" | "version" | "plural">): string {
  return `${resource.version}/${qualifiedName(resource)}`;
}
