import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import {
  FieldPath as Path,
  fieldErrors,
  isDNS1123Label,
  isDNS1123Subdomain,
  isValidPortName,
  isValidPortNum,
  isWildcardDNS1123Subdomain,
  nilList,
  parseIP,
} from "../../apimachinery/index.ts";
import { invalidFor, requiredText } from "../common/checks.ts";
import { validateTypedReference } from "../common/references.ts";
import type {
  HTTPIngressPath,
  IngressBackend,
  IngressRule,
  IngressSpec,
  IngressTLS,
} from "../types/networking-v1.ts";

const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];

/** What is let through because the ingress had it before it was checked. */
interface Tolerance {
  readonly secretNames: boolean;
  readonly wildcardRules: boolean;
}

/** Checks the spec of an ingress; `old` is what it replaces. */
export function validateIngressSpec(spec: IngressSpec, old: IngressSpec | undefined): FieldError[] {
  const path = Path.root("spec");
  const tolerated = toleranceOf(old);
  const rules = spec.rules ?? [];
  const errors: FieldError[] = [];
  if (rules.length === 0 && spec.defaultBackend === undefined) {
    const why = "either `defaultBackend` or `rules` must be specified";
    errors.push(fieldErrors.invalid(path, spec.rules ?? nilList, why));
  }
  if (spec.defaultBackend !== undefined) {
    errors.push(...validateBackend(spec.defaultBackend, path.child("defaultBackend")));
  }
  for (const [index, rule] of rules.entries()) {
    errors.push(...validateRule(rule, path.child("rules").index(index), tolerated));
  }
  for (const [index, tls] of (spec.tls ?? []).entries()) {
    errors.push(...validateTls(tls, path.child("tls").index(index), tolerated));
  }
  if (spec.ingressClassName !== undefined) {
    const at = path.child("ingressClassName");
    errors.push(...invalidFor(at, spec.ingressClassName, isDNS1123Subdomain(spec.ingressClassName)));
  }
  return errors;
}

function toleranceOf(old: IngressSpec | undefined): Tolerance {
  const anywhere = Path.empty;
  return {
    secretNames: (old?.tls ?? []).some((tls) => secretProblems(tls).length > 0),
    wildcardRules: (old?.rules ?? []).some(
      (rule) => rule.host?.includes("*") && validateHttp(rule, anywhere).length > 0,
    ),
  };
}

function validateRule(rule: IngressRule, at: FieldPath, tolerated: Tolerance): FieldError[] {
  const { host = "" } = rule;
  const errors: FieldError[] = [];
  if (host !== "") {
    if (parseIP(host) !== undefined) {
      errors.push(fieldErrors.invalid(at.child("host"), host, "must be a DNS name, not an IP address"));
    }
    errors.push(...hostProblems(host, at.child("host")));
  }
  if (host.includes("*") && tolerated.wildcardRules) return errors;
  return [...errors, ...validateHttp(rule, at)];
}

function validateTls(tls: IngressTLS, at: FieldPath, tolerated: Tolerance): FieldError[] {
  return [
    ...(tls.hosts ?? []).flatMap((host, index) => hostProblems(host, at.child("hosts").index(index))),
    ...(tolerated.secretNames ? [] : invalidFor(at.child("secretName"), tls.secretName, secretProblems(tls))),
  ];
}

const secretProblems = ({ secretName }: IngressTLS) => (secretName ? isDNS1123Subdomain(secretName) : []);

function hostProblems(host: string, path: FieldPath): FieldError[] {
  const problems = host.includes("*") ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host);
  return invalidFor(path, host, problems);
}

function validateHttp({ http }: IngressRule, at: FieldPath): FieldError[] {
  if (http === undefined) return [];
  const path = at.child("http", "paths");
  const paths = http.paths ?? [];
  if (paths.length === 0) return [fieldErrors.required(path)];
  return paths.flatMap((each, index) => validatePath(each, path.index(index)));
}

function validatePath(each: HTTPIngressPath, at: FieldPath): FieldError[] {
  // The decoder leaves a null where nothing is said.
  const pathType = (each.pathType as string | null | undefined) ?? undefined;
  const text = each.path ?? "";
  if (pathType === undefined) {
    return [fieldErrors.required(at.child("pathType"), "pathType must be specified")];
  }
  const errors: FieldError[] = [];
  const wrong = (why: string) => errors.push(fieldErrors.invalid(at.child("path"), text, why));
  if (!pathTypes.includes(pathType)) {
    errors.push(fieldErrors.notSupported(at.child("pathType"), pathType, pathTypes));
  } else if (pathType === "ImplementationSpecific") {
    if (text !== "" && !text.startsWith("/")) wrong("must be an absolute path");
  } else {
    if (!text.startsWith("/")) wrong("must be an absolute path");
    for (const part of ["//", "/./", "/../", "%2f", "%2F"]) {
      if (text.includes(part)) wrong(`must not contain '${part}'`);
    }
    for (const end of ["/..", "/."]) {
      if (text.endsWith(end)) wrong(`cannot end with '${end}'`);
    }
  }
  return [...errors, ...validateBackend(each.backend ?? {}, at.child("backend"))];
}

function validateBackend({ service, resource }: IngressBackend, path: FieldPath): FieldError[] {
  if (resource !== undefined && service !== undefined) {
    return [fieldErrors.invalid(path, "", "cannot set both resource and service backends")];
  }
  if (resource !== undefined) return validateTypedReference(resource, path.child("resource"));
  if (service === undefined) {
    return [fieldErrors.invalid(path, "", "resource or service backend is required")];
  }
  const at = path.child("service");
  const errors = requiredText(at.child("name"), service.name, isDNS1123Label);
  const { name, number } = service.port ?? {};
  if (name && number) {
    errors.push(fieldErrors.invalid(path, "", "cannot set both port name & port number"));
  } else if (name) errors.push(...invalidFor(at.child("port", "name"), name, isValidPortName(name)));
  else if (number) errors.push(...invalidFor(at.child("port", "number"), number, isValidPortNum(number)));
  else errors.push(fieldErrors.required(path, "port name or number is required"));
  return errors;
}
