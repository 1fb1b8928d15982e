import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";

/** Where the storage class was before it had a field. */
export const storageClassAnnotation = "volume.beta.kubernetes.io/storage-class";

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

/** Access modes as kubectl abbreviates them, each once, in this order. */
export function accessModesText(modes: readonly string[] | undefined): string {
  const set = new Set(modes);
  return Object.entries(shortModes)
    .filter(([mode]) => set.has(mode))
    .map(([, short]) => short)
    .join(",");
}

/** Checks access modes: at least one, known, and the exclusive one alone. */
export function validateAccessModes(modes: readonly string[] | undefined, path: FieldPath): FieldError[] {
  if (!modes?.length) return [fieldErrors.required(path, "at least 1 access mode is required")];
  const errors = modes
    .filter((mode) => shortModes[mode] === undefined)
    .map((mode) => fieldErrors.notSupported(path, mode, Object.keys(shortModes)));
  if (modes.includes("ReadWriteOncePod") && modes.length > 1) {
    errors.push(fieldErrors.forbidden(path, "may not use ReadWriteOncePod with other access modes"));
  }
  return errors;
}
