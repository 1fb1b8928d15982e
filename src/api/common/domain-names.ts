import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { invalidFor, invalidJoined } from "./checks.ts";

const pathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const pathExpression = new RegExp(`^${pathPattern}$`);

/** Checks `acme.io/foo`: a domain, and a path below it. */
export function validateDomainPrefixedPath(text: string, path: FieldPath): FieldError[] {
  if (text === "") return [fieldErrors.required(path)];
  const slash = text.indexOf("/");
  const [host, rest] = [text.slice(0, slash), text.slice(slash + 1)];
  if (slash <= 0 || rest === "") {
    return [fieldErrors.invalid(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const errors = invalidFor(path, host, isDNS1123Subdomain(host));
  if (pathExpression.test(rest)) return errors;
  const why = `Invalid path (regex used for validation is '${pathPattern}')`;
  return [...errors, fieldErrors.invalid(path, rest, why)];
}

/** Checks a domain name of two labels or more; a dot may end it. */
export function validateFullDomainName(text: string, path: FieldPath): FieldError[] {
  if (text === "") return [fieldErrors.required(path)];
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  const errors = invalidJoined(path, name, isDNS1123Subdomain(name));
  if (errors.length > 0) return errors;
  const labels = name.split(".");
  if (labels.length < 2) {
    const why = "should be a domain with at least two segments separated by dots";
    return [fieldErrors.invalid(path, name, why)];
  }
  // The first label that is wrong is told alone.
  return labels.flatMap((label) => invalidJoined(path, label, isDNS1123Label(label))).slice(0, 1);
}
