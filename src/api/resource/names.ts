import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { invalidFor, requiredText } from "../common/checks.ts";
import { validateDriverName } from "../core/pod-spec/volume-sources.ts";

const longestPoolName = 253;
const longestDomain = 63;
const longestIdentifier = 32;
const identifierPattern = "[A-Za-z_][A-Za-z0-9_]*";
const identifier = new RegExp(`^${identifierPattern}$`);
const identifierProblem = `a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '${identifierPattern}')`;

/** The longest name of an attribute or capacity. */
export const longestQualifiedName = longestDomain + 1 + longestIdentifier;

export { validateDriverName };

/** Checks the name of a device, request or set of counters. */
export const validateLabelName = (name: string | undefined, path: FieldPath): FieldError[] =>
  invalidFor(path, name ?? "", isDNS1123Label(name ?? ""));

/** Checks the name of a class of devices. */
export const validateClassName = (name: string | undefined, path: FieldPath): FieldError[] =>
  requiredText(path, name, isDNS1123Subdomain);

/** Checks the name of a pool of devices: DNS names between slashes. */
export function validatePoolName(name: string | undefined, path: FieldPath): FieldError[] {
  if (!name) return [fieldErrors.required(path)];
  const errors = name.length > longestPoolName ? [fieldErrors.tooLong(path, longestPoolName)] : [];
  return [...errors, ...name.split("/").flatMap((part) => invalidFor(path, part, isDNS1123Subdomain(part)))];
}

/** Checks the name of an attribute or capacity, with or without a domain. */
export function validateQualifiedName(name: string, path: FieldPath): FieldError[] {
  const [first = "", second, ...more] = name.split("/");
  if (more.length > 0) return [fieldErrors.invalid(path, name, "must not contain more than one slash")];
  if (second === undefined) return validateIdentifier(first, path);
  return [
    ...(first === ""
      ? [fieldErrors.invalid(path, "", "the domain must not be empty")]
      : validateDriverName(first, path)),
    ...(second === ""
      ? [fieldErrors.invalid(path, "", "the name must not be empty")]
      : validateIdentifier(second, path)),
  ];
}

/** Checks the name of an attribute or capacity with a domain. */
export function validateFullyQualifiedName(name: string, path: FieldPath): FieldError[] {
  const errors = validateQualifiedName(name, path);
  if (name.includes("/")) return errors;
  const why = "a fully qualified name must be a domain and a name separated by a slash";
  return [...errors, fieldErrors.invalid(path, name, why)];
}

function validateIdentifier(name: string, path: FieldPath): FieldError[] {
  const errors = name.length > longestIdentifier ? [fieldErrors.tooLong(path, longestIdentifier)] : [];
  return identifier.test(name) ? errors : [...errors, fieldErrors.invalid(path, name, identifierProblem)];
}

const normalUid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const anyUid = /^(urn:uuid:)?\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?$/i;
/** Lengths of a UID in its forms: plain, without dashes, in braces, as a URN. */
const uidLengths = new Set([36, 32, 38, 45]);

/** Checks a UID, which has to be in its normal form. */
export function validateUid(uid: string, path: FieldPath): FieldError[] {
  if (normalUid.test(uid)) return [];
  const problem = !uidLengths.has(uid.length)
    ? `error validating uid: invalid UUID length: ${uid.length}`
    : anyUid.test(uid)
      ? "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters"
      : "error validating uid: invalid UUID format";
  return [fieldErrors.invalid(path, uid, problem)];
}
