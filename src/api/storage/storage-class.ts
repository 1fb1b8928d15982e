import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, validateLabelName } from "../../apimachinery/index.ts";
import { immutable, optionalOneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fillMissing } from "../common/fill.ts";
import { nodeLabelWarning } from "../common/node-labels.ts";
import { defineResource } from "../definition.ts";
import type { TopologySelectorTerm } from "../types/core-v1.ts";
import { StorageClass } from "../types/storage-v1.ts";
import { forbidChange, validateParameters, validateProvisioner } from "./parameters.ts";

const defaultAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** The rules of storage classes. */
export const storageClassDefinition = defineResource<StorageClass>({
  resource: StorageClass,
  returnsDeleted: true,
  defaults: (object) => fillMissing(object, { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }),
  repeatedMetadataChecks: ["whole", "change"],
  validate: (object) => [
    ...validateProvisioner("provisioner", object.provisioner),
    ...validateParameters(object.parameters, { required: false }),
    // An empty policy is let through.
    ...optionalOneOf(FieldPath.root("reclaimPolicy"), object.reclaimPolicy || undefined, [
      "Delete",
      "Retain",
    ]),
    ...optionalOneOf(FieldPath.root("volumeBindingMode"), object.volumeBindingMode, [
      "Immediate",
      "WaitForFirstConsumer",
    ]),
    ...validateTopologies(object.allowedTopologies ?? [], FieldPath.root("allowedTopologies")),
  ],
  validateUpdate: (object, old) => [
    ...forbidChange("parameters", object.parameters, old.parameters),
    ...forbidChange("provisioner", object.provisioner, old.provisioner),
    ...forbidChange("reclaimPolicy", object.reclaimPolicy, old.reclaimPolicy),
    ...immutable(FieldPath.root("volumeBindingMode"), object.volumeBindingMode, old.volumeBindingMode),
  ],
  warnings: ({ allowedTopologies = [] }) =>
    allowedTopologies.flatMap((term, index) =>
      (term.matchLabelExpressions ?? []).flatMap(({ key }, position) => {
        const warning = nodeLabelWarning(key);
        const at = `allowedTopologies[${index}].matchLabelExpressions[${position}].key`;
        return warning === undefined ? [] : [`${at}: ${warning}`];
      }),
    ),
  columns: [
    {
      ...nameColumn,
      value: (object) =>
        defaultAnnotations.some((annotation) => object.metadata.annotations?.[annotation] === "true")
          ? `${object.metadata.name} (default)`
          : object.metadata.name,
    },
    column("Provisioner", "Who makes volumes of the class", { value: (object) => object.provisioner ?? "" }),
    column("ReclaimPolicy", "What happens to volumes after their claims", {
      value: (object) => object.reclaimPolicy ?? "Delete",
    }),
    column("VolumeBindingMode", "When volumes are made", {
      value: (object) => object.volumeBindingMode ?? "Immediate",
    }),
    column("AllowVolumeExpansion", "Whether volumes may grow", {
      value: (object) => object.allowVolumeExpansion ?? false,
    }),
    ageColumn,
  ],
});

function validateTopologies(terms: readonly TopologySelectorTerm[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  // Upstream begins with as many terms that ask for nothing as there are terms.
  const earlier = terms.map(() => askedBy({}));
  for (const [index, term] of terms.entries()) {
    const at = path.index(index).child("matchLabelExpressions");
    errors.push(...validateTerm(term, at));
    const asked = askedBy(term);
    for (const other of earlier) {
      if (asked === other) errors.push(fieldErrors.duplicate(at, ""));
    }
    earlier.push(asked);
  }
  return errors;
}

/** The decoder leaves a null where a list that is always written is not given. */
const listOf = (values: readonly string[] | null): readonly string[] => values ?? [];

/** The text of what a term asks for, by label: a label without values is another thing than none. */
function askedBy({ matchLabelExpressions = [] }: TopologySelectorTerm): string {
  const asked = new Map(
    matchLabelExpressions.map(({ key, values }) => [key, [...new Set(listOf(values))].sort()]),
  );
  return JSON.stringify([...asked].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function validateTerm(term: TopologySelectorTerm, path: FieldPath): FieldError[] {
  const keys = new Set<string>();
  return (term.matchLabelExpressions ?? []).flatMap((expression, index) => {
    const { key } = expression;
    const values = listOf(expression.values);
    const at = path.index(index);
    const errors = values.length === 0 ? [fieldErrors.required(at.child("values"))] : [];
    for (const [position, value] of values.entries()) {
      if (values.indexOf(value) < position) {
        errors.push(fieldErrors.duplicate(at.child("values").index(position), value));
      }
    }
    errors.push(...validateLabelName(key, at.child("key")));
    if (keys.has(key)) errors.push(fieldErrors.duplicate(at.child("key"), key));
    keys.add(key);
    return errors;
  });
}
