import type { FieldPath } from "../../apimachinery/index.ts";
import { formatCIDR, formatIP, ipFamilyOf, parseCIDR, parseIP } from "../../apimachinery/index.ts";

/** A warning of an address that is valid, and written as it should not be. */
export function ipWarnings(value: string, path: FieldPath): string[] {
  const address = parseIP(value);
  if (address === undefined || address.length === 4) return [];
  const canonical = formatIP(address);
  if (ipFamilyOf(value) === "IPv4") {
    return [
      `${path.text}: non-standard IP address "${value}" will be considered invalid in a future Kubernetes release: use "${canonical}"`,
    ];
  }
  return canonical === value
    ? []
    : [`${path.text}: IPv6 address "${value}" should be in RFC 5952 canonical format ("${canonical}")`];
}

/** Warnings of a range that is valid, and written as it should not be. */
export function cidrWarnings(value: string, path: FieldPath): string[] {
  const range = parseCIDR(value);
  if (range === undefined) return [];
  const warnings: string[] = [];
  const canonical = formatCIDR(range);
  if (formatIP(range.network) !== formatIP(range.address)) {
    const single = `${formatIP(range.address)}/${range.address.length * 8}`;
    warnings.push(
      `${path.text}: CIDR value "${value}" is ambiguous in this context (should be "${canonical}" or "${single}"?)`,
    );
  }
  if (range.address.length === 4) return warnings;
  if (ipFamilyOf(value) === "IPv4") {
    warnings.push(
      `${path.text}: non-standard CIDR value "${value}" will be considered invalid in a future Kubernetes release: use "${canonical}"`,
    );
  }
  return warnings.length > 0 || canonical === value
    ? warnings
    : [`${path.text}: IPv6 CIDR value "${value}" should be in RFC 5952 canonical format ("${canonical}")`];
}
