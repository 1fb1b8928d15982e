import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Label } from "../../apimachinery/index.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { internalValue } from "../common/internal-value.ts";
import { nodeLabelWarning } from "../common/node-labels.ts";
import { validateLabels } from "../common/selectors.ts";
import { validateTolerations } from "../core/pod-spec/index.ts";
import { validateResources } from "../core/pod-spec/resources.ts";
import { defineResource } from "../definition.ts";
import type { Toleration } from "../types/core-v1.ts";
import { RuntimeClass } from "../types/node-v1.ts";

/** The rules of runtime classes. */
export const runtimeClassDefinition = defineResource<RuntimeClass>({
  resource: RuntimeClass,
  repeatedMetadataChecks: ["whole", "change"],
  createsOnUpdate: true,
  requiresVersion: true,
  validate,
  validateUpdate: (object, old) => immutable(FieldPath.root("handler"), object.handler, old.handler),
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
      const warning = nodeLabelWarning(key);
      return warning === undefined ? [] : [`scheduling.nodeSelector: ${warning}`];
    }),
  columns: [
    nameColumn,
    column("Handler", "The runtime's name for the class", { value: (object) => object.handler ?? "" }),
    ageColumn,
  ],
});

function validate({ handler, overhead, scheduling }: RuntimeClass): readonly FieldError[] {
  const path = FieldPath.root("scheduling");
  const limits = overhead?.podFixed;
  return [
    ...invalidFor(FieldPath.root("handler"), handler ?? "", isDNS1123Label(handler ?? "")),
    ...(limits === undefined
      ? []
      : validateResources({ limits }, FieldPath.root("overhead"), { claims: new Set() })),
    ...validateLabels(scheduling?.nodeSelector, path.child("nodeSelector")),
    ...validateTolerations(scheduling?.tolerations ?? [], path.child("tolerations")),
    ...validateUnique(scheduling?.tolerations ?? [], path.child("tolerations")),
  ];
}

/** How long a taint is tolerated is no part of what it is. */
function validateUnique(tolerations: readonly Toleration[], path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return tolerations.flatMap((toleration, index) => {
    const { key, operator, value, effect } = toleration;
    const identity = JSON.stringify([key ?? "", operator ?? "", value ?? "", effect ?? ""]);
    if (!seen.has(identity)) {
      seen.add(identity);
      return [];
    }
    return [
      fieldErrors.duplicate(path.index(index), internalValue(toleration, "io.k8s.api.core.v1.Toleration")),
    ];
  });
}
