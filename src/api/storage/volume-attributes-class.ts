import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { VolumeAttributesClass } from "../types/storage-v1.ts";
import { VolumeAttributesClass as BetaVolumeAttributesClass } from "../types/storage-v1beta1.ts";
import { forbidChange, validateParameters, validateProvisioner } from "./parameters.ts";

type AnyClass = VolumeAttributesClass | BetaVolumeAttributesClass;

const rules = {
  returnsDeleted: true,
  validate: (object: AnyClass) => [
    ...validateProvisioner("driverName", object.driverName),
    ...validateParameters(object.parameters, { required: true }),
  ],
  repeatedMetadataChecks: ["change", "whole"],
  updateErrorsFirst: true,
  validateUpdate: (object: AnyClass, old: AnyClass) => [
    ...forbidChange("driverName", object.driverName, old.driverName),
    ...forbidChange("parameters", object.parameters, old.parameters),
  ],
  columns: [
    nameColumn,
    column<AnyClass>("DriverName", "The driver that knows the attributes", {
      value: (object) => object.driverName ?? "",
    }),
    ageColumn,
  ],
} as const;

/** The rules of classes of volume attributes. */
export const volumeAttributesClassDefinition = defineResource<VolumeAttributesClass>({
  resource: VolumeAttributesClass,
  ...rules,
});

/** The rules of classes of volume attributes, in the beta version. */
export const betaVolumeAttributesClassDefinition = defineResource<BetaVolumeAttributesClass>({
  resource: BetaVolumeAttributesClass,
  ...rules,
});
