import { generalColumns } from "../common/columns.ts";
import { fill, mapField } from "../common/fill.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import type {
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionStatus,
} from "../types/apiextensions-v1.ts";
import { CustomResourceDefinition } from "../types/apiextensions-v1.ts";
import {
  validateDefinition,
  validateDefinitionStatus,
  validateDefinitionUpdate,
} from "./definition-validation.ts";
import { unknownFormats } from "./version-validation.ts";

/** The rules of custom resource definitions. */
export const customResourceDefinitionDefinition = defineResource<CustomResourceDefinition>({
  resource: CustomResourceDefinition,
  plainFinalizers: true,
  requiresVersion: true,
  defaults: (definition) => withStoredDefault(mapField(definition, "spec", defaultSpec)),
  prepareForCreate: (definition) => ({
    ...definition,
    status: withStoredVersion(undefined, definition.spec),
  }),
  prepareForUpdate: (definition) => ({
    ...definition,
    status: withStoredVersion(definition.status, definition.spec),
  }),
  prepareForStatusUpdate: (definition, old) => ({ ...definition, spec: old.spec }),
  validateCreate: validateDefinition,
  validateUpdate: updateChecks<CustomResourceDefinition>({
    other: validateDefinitionUpdate,
    status: ({ status }) => validateDefinitionStatus(status),
  }),
  warnings: ({ spec }, old) => {
    const before = unknownFormats(old?.spec.versions ?? []);
    return unknownFormats(spec.versions ?? [])
      .filter((format) => !before.includes(format))
      .map((format) => `unrecognized format ${JSON.stringify(format)}`);
  },
  columns: generalColumns,
  tracksGeneration: true,
  // Objects of the definition go before it does.
  isHeld: ({ metadata }) => metadata.deletionTimestamp === undefined,
  prepareForDeletion: withCleanup,
});

/** Keeps definitions until all their objects are gone. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

function withCleanup(definition: CustomResourceDefinition): CustomResourceDefinition {
  const { metadata, status } = definition;
  // Upstream marks definitions by itself: they get nothing else that other objects get then.
  const { finalizers = [], deletionTimestamp = "", deletionGracePeriodSeconds: _, ...rest } = metadata;
  const { generation = 1 } = rest;
  const conditions = (status.conditions ?? []).filter(({ type }) => type !== "Terminating");
  const terminating = {
    type: "Terminating",
    status: "True",
    lastTransitionTime: deletionTimestamp,
    reason: "InstanceDeletionPending",
    message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
  };
  return {
    ...definition,
    metadata: {
      ...rest,
      deletionTimestamp,
      generation: generation - 1,
      finalizers: [...new Set([...finalizers, cleanupFinalizer])],
    },
    status: { ...status, conditions: [...conditions, terminating] },
  };
}

/** Upstream writes a status's lists even when there are none. */
const emptyStatus = {
  conditions: null,
  acceptedNames: { plural: "", kind: "" },
  storedVersions: null,
} as unknown as CustomResourceDefinitionStatus;

/** A status that has the version in which objects are stored from now on among those that they may be stored in. */
function withStoredVersion(
  status: CustomResourceDefinitionStatus | undefined,
  { versions }: { readonly versions?: CustomResourceDefinitionSpec["versions"] | null },
): CustomResourceDefinitionStatus {
  const known = status ?? emptyStatus;
  const stored = known.storedVersions ?? [];
  const current = versions?.find(({ storage }) => storage)?.name;
  return current === undefined || stored.includes(current)
    ? known
    : { ...known, storedVersions: [...stored, current] };
}

/** Without any, the versions that objects may be stored in are the one in which they are stored. */
function withStoredDefault(definition: CustomResourceDefinition): CustomResourceDefinition {
  const { status, spec }: Partial<CustomResourceDefinition> = definition;
  if ((status?.storedVersions ?? []).length > 0) return definition;
  const filled = withStoredVersion(status, spec ?? {});
  return filled.storedVersions?.length ? { ...definition, status: filled } : definition;
}

function defaultSpec(spec: CustomResourceDefinitionSpec): CustomResourceDefinitionSpec {
  const named = mapField(spec, "names", defaultNames);
  const converted = named.conversion === undefined ? { ...named, conversion: { strategy: "None" } } : named;
  return mapField(converted, "conversion", (conversion) =>
    mapField(conversion, "webhook", (webhook) =>
      mapField(webhook, "clientConfig", (config) =>
        mapField(config, "service", (service) => fill(service, { port: 443 })),
      ),
    ),
  );
}

function defaultNames(names: CustomResourceDefinitionNames): CustomResourceDefinitionNames {
  const kind = names.kind ?? "";
  if (kind === "") return names;
  return fill(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
}
