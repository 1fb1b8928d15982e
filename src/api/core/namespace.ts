import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isQualifiedName,
  validateFinalizerDomain,
} from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { omit, withField } from "../common/fill.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import { Namespace } from "../types/core-v1.ts";

const kubernetesFinalizer = "kubernetes";
const finalizersPath = FieldPath.root("spec").child("finalizers");
/** The label that every namespace has of its own name. */
export const namespaceNameLabel = "kubernetes.io/metadata.name";

/** The rules of namespaces. */
export const namespaceDefinition = defineResource<Namespace>({
  resource: Namespace,
  repeatedMetadataChecks: ["whole", "change"],
  isItsOwnNamespace: true,
  returnsDeleted: true,
  defaults: (namespace) => {
    const name = namespace.metadata.name;
    return !name || namespace.metadata.labels?.[namespaceNameLabel] === name
      ? namespace
      : {
          ...namespace,
          metadata: {
            ...namespace.metadata,
            labels: { ...namespace.metadata.labels, [namespaceNameLabel]: name },
          },
        };
  },
  validate: (namespace, { subresource }) =>
    (namespace.spec?.finalizers ?? []).flatMap((name, index) =>
      finalizerErrors(name, subresource === "finalize" ? finalizersPath.index(index) : finalizersPath),
    ),
  validateUpdate: updateChecks<Namespace>({ status: phaseErrors }),
  prepareForCreate: (namespace) => {
    const finalizers = namespace.spec?.finalizers ?? [];
    return {
      ...namespace,
      metadata: namespace.metadata.name
        ? {
            ...namespace.metadata,
            labels: { ...namespace.metadata.labels, [namespaceNameLabel]: namespace.metadata.name },
          }
        : namespace.metadata,
      spec: {
        ...namespace.spec,
        finalizers: finalizers.includes(kubernetesFinalizer)
          ? finalizers
          : [...finalizers, kubernetesFinalizer],
      },
      status: { phase: "Active" },
    };
  },
  prepareForUpdate: (namespace, old, context) =>
    context.subresource === "finalize"
      ? namespace
      : { ...namespace, spec: withField(namespace.spec ?? {}, "finalizers", old.spec?.finalizers) },
  prepareForStatusUpdate: (namespace, old) => ({ ...namespace, spec: old.spec }),
  columns: [
    nameColumn,
    column("Status", "Whether the namespace is in use or going away", {
      value: (namespace) => namespace.status?.phase ?? "",
    }),
    ageColumn,
  ],
  selectableFields: {
    "status.phase": (namespace) => namespace.status?.phase ?? "",
  },
  nameRule: "label",
  tracksGeneration: false,
  isHeld: ({ spec }) => (spec?.finalizers?.length ?? 0) > 0,
  prepareForDeletion: (namespace) => ({
    ...namespace,
    // Namespaces have no time to go in.
    metadata: omit(namespace.metadata, "deletionGracePeriodSeconds"),
    status: { ...namespace.status, phase: "Terminating" },
  }),
});

function finalizerErrors(name: string, path: FieldPath): readonly FieldError[] {
  return [...invalidFor(path, name, isQualifiedName(name)), ...validateFinalizerDomain(name, path)];
}

/** A namespace that is going cannot be said to be there, nor the other way round. */
function phaseErrors({ metadata, status }: Namespace): readonly FieldError[] {
  const isGoing = metadata.deletionTimestamp !== undefined;
  const wanted = isGoing ? "Terminating" : "Active";
  const phase = status?.phase ?? "";
  if (phase === wanted) return [];
  const why = `may only be '${wanted}' if \`deletionTimestamp\` is ${isGoing ? "not " : ""}empty`;
  return [fieldErrors.invalid(FieldPath.root("status").child("Phase"), phase, why)];
}
