import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Subdomain, isValidIP, parseIP } from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { updateChecks } from "../common/updates.ts";
import { loadBalancerText } from "../core/service.ts";
import { defineResource } from "../definition.ts";
import type { IngressRule } from "../types/networking-v1.ts";
import { Ingress } from "../types/networking-v1.ts";
import { validateIngressSpec } from "./ingress-rules.ts";

const classAnnotation = "kubernetes.io/ingress.class";
const shownHosts = 3;

/** The rules of ingresses. */
export const ingressDefinition = defineResource<Ingress>({
  resource: Ingress,
  repeatedMetadataChecks: ["change", "whole"],
  validateCreate: (ingress) => [...validateIngressSpec(ingress.spec, undefined), ...validateClass(ingress)],
  validateUpdate: updateChecks({
    other: (ingress, old) => validateIngressSpec(ingress.spec, old.spec),
    status: validateStatus,
  }),
  prepareForStatusUpdate: (ingress, old) => ({ ...ingress, spec: old.spec }),
  warnings: (ingress, old) =>
    old === undefined &&
    ingress.metadata.annotations?.[classAnnotation] !== undefined &&
    ingress.spec.ingressClassName === undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  columns: [
    nameColumn,
    column("Class", "The class of controllers that serve the ingress", {
      value: ({ spec }) => spec.ingressClassName ?? "<none>",
    }),
    column("Hosts", "Hosts that requests are for", { value: ({ spec }) => hostsText(spec.rules ?? []) }),
    column("Address", "Addresses of the load balancer", {
      value: ({ status }) => loadBalancerText(status?.loadBalancer),
    }),
    column("Ports", "Ports that are open", { value: ({ spec }) => (spec.tls?.length ? "80, 443" : "80") }),
    ageColumn,
  ],
  tracksGeneration: true,
});

/** The class may be named twice, but not otherwise each time. */
function validateClass({ metadata, spec }: Ingress): FieldError[] {
  const annotation = metadata.annotations?.[classAnnotation];
  const { ingressClassName } = spec;
  if (annotation === undefined || ingressClassName === undefined || annotation === ingressClassName)
    return [];
  const at = FieldPath.root("annotations").child(classAnnotation);
  return [fieldErrors.invalid(at, annotation, "must match `ingressClassName` when both are specified")];
}

function validateStatus({ status }: Ingress, old: Ingress): FieldError[] {
  const known = new Set((old.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
  const path = FieldPath.root("status").child("loadBalancer", "ingress");
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, index) => {
    const at = path.index(index);
    const errors = ip && !known.has(ip) ? invalidFor(at.child("ip"), ip, isValidIP(ip)) : [];
    if (!hostname) return errors;
    errors.push(...invalidFor(at.child("hostname"), hostname, isDNS1123Subdomain(hostname)));
    if (parseIP(hostname) !== undefined) {
      const why = "must be a DNS name, not an IP address";
      errors.push(fieldErrors.invalid(at.child("hostname"), hostname, why));
    }
    return errors;
  });
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
