import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Subdomain, isValidIP, parseIP } from "../../apimachinery/index.ts";
import { ipWarnings } from "../common/address-warnings.ts";
import { invalidFor, optionalOneOf } from "../common/checks.ts";
import type { LoadBalancerIngress, Service } from "../types/core-v1.ts";

const modes = ["Proxy", "VIP"];

const path = FieldPath.root("status").child("loadBalancer", "ingress");

/** Warnings of how a load balancer writes its addresses. */
export const balancerWarnings = ({ status }: Service): readonly string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, index) =>
    ip ? ipWarnings(ip, path.index(index)) : [],
  );

/** Checks what a load balancer reports. */
export function validateBalancerStatus(service: Service): readonly FieldError[] {
  const addresses = service.status?.loadBalancer?.ingress ?? [];
  if (service.spec.type !== "LoadBalancer" && addresses.length > 0) {
    return [fieldErrors.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return addresses.flatMap((address, index) => validateAddress(address, path.index(index)));
}

function validateAddress(address: LoadBalancerIngress, entry: FieldPath): FieldError[] {
  const { ip, ipMode, hostname } = address;
  const at = entry.child("ipMode");
  const errors = ip ? invalidFor(entry.child("ip"), ip, isValidIP(ip)) : [];
  if (ip && ipMode === undefined) {
    errors.push(fieldErrors.required(at, "must be specified when `ip` is set"));
  } else if (!ip && ipMode !== undefined) {
    errors.push(fieldErrors.forbidden(at, "may not be specified when `ip` is not set"));
  } else errors.push(...optionalOneOf(at, ipMode, modes));
  if (!hostname) return errors;
  const place = entry.child("hostname");
  errors.push(...invalidFor(place, hostname, isDNS1123Subdomain(hostname)));
  if (parseIP(hostname) !== undefined) {
    errors.push(fieldErrors.invalid(place, hostname, "must be a DNS name, not an IP address"));
  }
  return errors;
}
