import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { immutable, oneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fill } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import { StorageClass, VolumeAttributesClass } from "../types/storage-v1.ts";
import { VolumeAttributesClass as BetaVolumeAttributesClass } from "../types/storage-v1beta1.ts";

const defaultAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** The rules of storage classes. */
export const storageClassDefinition = defineResource<StorageClass>({
  resource: StorageClass,
  returnsDeleted: true,
  defaults: (object) => fill(object, { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }),
  validate: (object) => [
    ...(object.provisioner ? [] : [fieldErrors.required(FieldPath.root("provisioner"))]),
    ...oneOf(FieldPath.root("reclaimPolicy"), object.reclaimPolicy, ["Delete", "Retain"]),
    ...oneOf(FieldPath.root("volumeBindingMode"), object.volumeBindingMode, [
      "Immediate",
      "WaitForFirstConsumer",
    ]),
  ],
  validateUpdate: (object, old) => [
    ...forbidChange("parameters", object.parameters, old.parameters),
    ...forbidChange("provisioner", object.provisioner, old.provisioner),
    ...forbidChange("reclaimPolicy", object.reclaimPolicy, old.reclaimPolicy),
    ...immutable(FieldPath.root("volumeBindingMode"), object.volumeBindingMode, old.volumeBindingMode),
  ],
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

const attributesRules = {
  validateUpdate: (
    object: VolumeAttributesClass | BetaVolumeAttributesClass,
    old: VolumeAttributesClass | BetaVolumeAttributesClass,
  ) => [
    ...forbidChange("driverName", object.driverName, old.driverName),
    ...forbidChange("parameters", object.parameters, old.parameters),
  ],
  columns: [
    nameColumn,
    column<VolumeAttributesClass | BetaVolumeAttributesClass>(
      "DriverName",
      "The driver that knows the attributes",
      {
        value: (object) => object.driverName ?? "",
      },
    ),
    ageColumn,
  ],
};

/** The rules of classes of volume attributes. */
export const volumeAttributesClassDefinition = defineResource<VolumeAttributesClass>({
  resource: VolumeAttributesClass,
  returnsDeleted: true,
  ...attributesRules,
});

/** The rules of classes of volume attributes, in the beta version. */
export const betaVolumeAttributesClassDefinition = defineResource<BetaVolumeAttributesClass>({
  resource: BetaVolumeAttributesClass,
  returnsDeleted: true,
  ...attributesRules,
});

function forbidChange(field: string, next: unknown, old: unknown): FieldError[] {
  return semanticallyEqual(next, old)
    ? []
    : [fieldErrors.forbidden(FieldPath.root(field), `updates to ${field} are forbidden.`)];
}
