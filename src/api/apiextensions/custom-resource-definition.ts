import { generalColumns } from "../common/columns.ts";
import { fill, mapField } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import type { CustomResourceConversion, CustomResourceDefinitionSpec } from "../types/apiextensions-v1.ts";
import { CustomResourceDefinition } from "../types/apiextensions-v1.ts";

/** The rules of custom resource definitions, but for the checks of their schemas. */
export const customResourceDefinitionDefinition = defineResource<CustomResourceDefinition>({
  resource: CustomResourceDefinition,
  plainFinalizers: true,
  requiresVersion: true,
  defaults: (definition) => ({ ...definition, spec: defaultSpec(definition.spec) }),
  prepareForCreate: (definition) => ({
    ...definition,
    status: {
      acceptedNames: { plural: "", kind: "" },
      storedVersions: (definition.spec.versions ?? [])
        .filter((version) => version.storage)
        .map(({ name }) => name),
    },
  }),
  prepareForUpdate: (definition, old) => {
    const stored = old.status?.storedVersions ?? [];
    const added = (definition.spec.versions ?? [])
      .filter((version) => version.storage && !stored.includes(version.name))
      .map(({ name }) => name);
    return added.length === 0
      ? definition
      : {
          ...definition,
          status: {
            ...old.status,
            acceptedNames: old.status?.acceptedNames ?? { plural: "", kind: "" },
            storedVersions: [...stored, ...added],
          },
        };
  },
  prepareForStatusUpdate: (definition, old) => ({ ...definition, spec: old.spec }),
  columns: generalColumns,
  tracksGeneration: true,
});

function defaultSpec(spec: CustomResourceDefinitionSpec): CustomResourceDefinitionSpec {
  const named = mapField(spec, "names", (names) =>
    fill(names, { singular: (names.kind ?? "").toLowerCase(), listKind: `${names.kind ?? ""}List` }),
  );
  const conversion: CustomResourceConversion = fill<CustomResourceConversion>(named.conversion, {
    strategy: "None",
  });
  return {
    ...named,
    conversion: mapField(conversion, "webhook", (webhook) =>
      mapField(webhook, "clientConfig", (config) =>
        mapField(config, "service", (service) => fill(service, { port: 443 })),
      ),
    ),
  };
}
