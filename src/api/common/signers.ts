import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import {
  fieldErrors,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
} from "../../apimachinery/index.ts";
import { invalidFor } from "./checks.ts";

const longestDomain = 253;
/** A domain, a slash, a namespace, a dot and a name. */
const longestName = 571;
const longestAnnotations = 256 * 1024;

/** Whether the signer is one of Kubernetes' own. */
export function isKubernetesSigner(name: string): boolean {
  const host = name.split("/", 1)[0] ?? "";
  return host === "kubernetes.io" || host.endsWith(".kubernetes.io");
}

/** Checks the name of a signer: `example.com/signer-name`. */
export function validateSignerName(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [fieldErrors.required(path)];
  const [domain = "", own = "", ...more] = name.split("/");
  if (!name.includes("/") || more.length > 0) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [fieldErrors.invalid(path, name, why)];
  }
  const errors = domain.length > longestDomain ? [fieldErrors.tooLong(path, longestDomain)] : [];
  const labels = domain.split(".");
  errors.push(...firstWrong(labels, isDNS1123Label, { path, whole: domain }));
  if (labels.length < 2) {
    const why = "should be a domain with at least two segments separated by dots";
    errors.push(fieldErrors.invalid(path, domain, why));
  }
  errors.push(...firstWrong(own.split("."), isDNS1123Subdomain, { path, whole: own }));
  if (name.length > longestName) errors.push(fieldErrors.tooLong(path, longestName));
  return errors;
}

/** Checks what a pod says to the signer of its certificate. */
export function validateUserAnnotations(
  annotations: Readonly<Record<string, string>>,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    size += key.length + value.length;
    const problems = invalidFor(path.key(key), key, isQualifiedName(key));
    errors.push(...problems);
    if (problems.length === 0 && !key.includes("/")) {
      const why = 'must be a domain-prefixed key (such as "acme.io/foo")';
      errors.push(fieldErrors.invalid(path.key(key), key, why));
    }
  }
  if (size > longestAnnotations) errors.push(fieldErrors.tooLong(path, longestAnnotations));
  return errors;
}

/** What is wrong with the first label that is: further ones would say the same. */
function firstWrong(
  labels: readonly string[],
  check: (label: string) => readonly string[],
  { path, whole }: { readonly path: FieldPath; readonly whole: string },
): FieldError[] {
  for (const label of labels) {
    const problems = check(label);
    if (problems.length === 0) continue;
    return problems.map((problem) =>
      fieldErrors.invalid(path, whole, `validating label "${label}": ${problem}`),
    );
  }
  return [];
}
