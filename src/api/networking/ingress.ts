import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import {
  FieldPath as Path,
  fieldErrors,
  isDNS1035Label,
  isDNS1123Subdomain,
  isValidIP,
  isValidPortName,
  isValidPortNum,
  isWildcardDNS1123Subdomain,
  nilList,
} from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { loadBalancerText } from "../core/service.ts";
import { defineResource } from "../definition.ts";
import type { HTTPIngressPath, IngressBackend, IngressRule } from "../types/networking-v1.ts";
import { Ingress } from "../types/networking-v1.ts";

const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
const classAnnotation = "kubernetes.io/ingress.class";
const addressWidth = 16;
const shownHosts = 3;

/** The rules of ingresses. */
export const ingressDefinition = defineResource<Ingress>({
  resource: Ingress,
  validate,
  prepareForStatusUpdate: (ingress, old) => ({ ...ingress, spec: old.spec }),
  columns: [
    nameColumn,
    column("Class", "The class of controllers that serve the ingress", {
      value: ({ metadata, spec }) =>
        spec.ingressClassName ?? metadata.annotations?.[classAnnotation] ?? "<none>",
    }),
    column("Hosts", "Hosts that requests are for", { value: ({ spec }) => hostsText(spec.rules ?? []) }),
    column("Address", "Addresses of the load balancer", {
      value: ({ status }) => loadBalancerText(status?.loadBalancer, { width: addressWidth }),
    }),
    column("Ports", "Ports that are open", { value: ({ spec }) => (spec.tls?.length ? "80, 443" : "80") }),
    ageColumn,
  ],
  tracksGeneration: true,
});

function validate(ingress: Ingress): readonly FieldError[] {
  const { spec } = ingress;
  const path = Path.root("spec");
  const errors: FieldError[] = [];
  const rules = spec.rules ?? [];
  if (rules.length === 0 && spec.defaultBackend === undefined) {
    errors.push(
      fieldErrors.invalid(
        path,
        spec.rules ?? nilList,
        "either `defaultBackend` or `rules` must be specified",
      ),
    );
  }
  if (spec.defaultBackend !== undefined) {
    errors.push(...validateBackend(spec.defaultBackend, path.child("defaultBackend")));
  }
  for (const [index, rule] of rules.entries()) {
    const at = path.child("rules").index(index);
    errors.push(...validateHost(rule.host ?? "", at.child("host")));
    if (rule.http === undefined) continue;
    const paths = rule.http.paths ?? [];
    if (paths.length === 0) errors.push(fieldErrors.required(at.child("http", "paths")));
    for (const [position, each] of paths.entries()) {
      errors.push(...validatePath(each, at.child("http", "paths").index(position)));
    }
  }
  for (const [index, tls] of (spec.tls ?? []).entries()) {
    for (const [position, host] of (tls.hosts ?? []).entries()) {
      errors.push(...hostProblems(path.child("tls").index(index).child("hosts").index(position), host));
    }
  }
  if (spec.ingressClassName !== undefined) {
    const at = path.child("ingressClassName");
    errors.push(...invalidFor(at, spec.ingressClassName, isDNS1123Subdomain(spec.ingressClassName)));
  }
  return errors;
}

function validateHost(host: string, path: FieldPath): FieldError[] {
  if (host === "") return [];
  if (isValidIP(host).length === 0) {
    return [fieldErrors.invalid(path, host, "must be a DNS name, not an IP address")];
  }
  return hostProblems(path, host);
}

function hostProblems(path: FieldPath, host: string): FieldError[] {
  return invalidFor(
    path,
    host,
    host.includes("*") ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host),
  );
}

function validatePath(each: HTTPIngressPath, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const text = each.path ?? "";
  if (!each.pathType) return [fieldErrors.required(path.child("pathType"), "pathType must be specified")];
  if (!pathTypes.includes(each.pathType)) {
    errors.push(fieldErrors.notSupported(path.child("pathType"), each.pathType, pathTypes));
  } else if (each.pathType !== "ImplementationSpecific") {
    if (!text.startsWith("/"))
      errors.push(fieldErrors.invalid(path.child("path"), text, "must be an absolute path"));
    else {
      for (const part of ["//", "/./", "/../", "%2f", "%2F"]) {
        if (text.includes(part))
          errors.push(fieldErrors.invalid(path.child("path"), text, `must not contain '${part}'`));
      }
      for (const end of ["/..", "/."]) {
        if (text.endsWith(end))
          errors.push(fieldErrors.invalid(path.child("path"), text, `cannot end with '${end}'`));
      }
    }
  } else if (text !== "" && !text.startsWith("/")) {
    errors.push(fieldErrors.invalid(path.child("path"), text, "must be an absolute path"));
  }
  return [...errors, ...validateBackend(each.backend ?? {}, path.child("backend"))];
}

function validateBackend(backend: IngressBackend, path: FieldPath): FieldError[] {
  const { service, resource } = backend;
  if (resource !== undefined && service !== undefined) {
    return [fieldErrors.invalid(path, "", "cannot set both resource and service backends")];
  }
  if (resource !== undefined) return [];
  if (service === undefined)
    return [fieldErrors.invalid(path, "", "resource or service backend is required")];
  const errors: FieldError[] = [];
  const at = path.child("service");
  if (!service.name) errors.push(fieldErrors.required(at.child("name")));
  else errors.push(...invalidFor(at.child("name"), service.name, isDNS1035Label(service.name)));
  const { name, number } = service.port ?? {};
  if (name && number) {
    errors.push(fieldErrors.invalid(path, "", "cannot set both port name & port number"));
  } else if (name) errors.push(...invalidFor(at.child("port", "name"), name, isValidPortName(name)));
  else if (number) errors.push(...invalidFor(at.child("port", "number"), number, isValidPortNum(number)));
  else errors.push(fieldErrors.required(path, "port name or number is required"));
  return errors;
}

function hostsText(rules: readonly IngressRule[]): string {
  const hosts: string[] = [];
  let more = false;
  for (const { host } of rules) {
    if (hosts.length === shownHosts) more = true;
    else if (host) hosts.push(host);
  }
  if (hosts.length === 0) return "*";
  return more ? `${hosts.join(",")} + ${rules.length - shownHosts} more...` : hosts.join(",");
}
