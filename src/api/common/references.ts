import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Subdomain, isPathSegmentName } from "../../apimachinery/index.ts";
import { invalidFor, requiredText } from "./checks.ts";

/** Checks that each field is there and can be part of a URL's path. */
export function validateSegments<F extends string>(
  fields: Readonly<Partial<Record<F, string>>>,
  path: FieldPath,
  names: readonly F[],
): FieldError[] {
  return names.flatMap((name) => requiredText(path.child(name), fields[name], isPathSegmentName));
}

/** Checks a reference to an object by group, kind and name. */
export function validateTypedReference(
  reference: { readonly apiGroup?: string | null; readonly kind: string; readonly name: string },
  path: FieldPath,
): FieldError[] {
  const { apiGroup } = reference;
  return [
    // Upstream always writes this field: one that is absent is null.
    ...(apiGroup === undefined || apiGroup === null
      ? []
      : invalidFor(path.child("apiGroup"), apiGroup, isDNS1123Subdomain(apiGroup))),
    ...(["kind", "name"] as const).flatMap((field) =>
      reference[field]
        ? validateSegments(reference, path, [field])
        : [fieldErrors.required(path.child(field), `${field} is required`)],
    ),
  ];
}
