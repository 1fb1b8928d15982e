import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import { validateAccessModes } from "../core/claim-spec.ts";
import { validateVolumeSources } from "../core/persistent-volume-validation.ts";
import type { PersistentVolumeSpec } from "../types/core-v1.ts";

const elsewhere = "may not be specified in the context of inline volumes";

/** Checks a volume that is described where it is attached: it is that of a driver, and nobody's claim. */
export function validateInlineVolume(spec: PersistentVolumeSpec, path: FieldPath): FieldError[] {
  const { persistentVolumeReclaimPolicy: policy, volumeMode: mode } = spec;
  const forbidden = (field: keyof PersistentVolumeSpec, why = elsewhere) => [
    fieldErrors.forbidden(path.child(field), why),
  ];
  const modes = spec.accessModes ?? [];
  const modesPath = path.child("accessModes");
  return [
    ...(spec.claimRef ? forbidden("claimRef") : []),
    ...(Object.keys(spec.capacity ?? {}).length > 0 ? forbidden("capacity") : []),
    ...(spec.csi
      ? []
      : [fieldErrors.required(path.child("csi"), "has to be specified in the context of inline volumes")]),
    ...(modes.length === 0 ? [fieldErrors.required(modesPath)] : []),
    ...validateAccessModes(modes, modesPath),
    ...(policy && policy !== "Retain"
      ? forbidden("persistentVolumeReclaimPolicy", "may only be Retain in the context of inline volumes")
      : []),
    ...(spec.nodeAffinity ? forbidden("nodeAffinity") : []),
    ...validateVolumeSources(spec, { path, name: "" }),
    ...(spec.storageClassName ? forbidden("storageClassName") : []),
    ...(mode !== undefined && mode !== "Filesystem"
      ? forbidden(
          "volumeMode",
          "may not specify volumeMode other than Filesystem in the context of inline volumes",
        )
      : []),
  ];
}
