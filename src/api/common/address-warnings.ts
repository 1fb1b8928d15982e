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

/** Warnings of a range that is valid, and says two things or is written as it should not be. */
export function cidrWarnings(value: string, path: FieldPath): string[] {
  const range = parseCIDR(value);
  if (range === undefined) return [];
  const { address, network } = range;
  const warnings: string[] = [];
  const text = formatCIDR(range);
  if (address.some((byte, index) => byte !== network[index])) {
    const single = `${formatIP(address)}/${address.length * 8}`;
    const choice = `(should be "${text}" or "${single}"?)`;
    warnings.push(`${path.text}: CIDR value "${value}" is ambiguous in this context ${choice}`);
  }
  const isIPv4 = address.length === 4;
  const isStandard = isIPv4 ? !/(^|[./])0\d/.test(value) : ipFamilyOf(value) === "IPv6";
  if (!isStandard) {
    warnings.push(
      `${path.text}: non-standard CIDR value "${value}" will be considered invalid in a future Kubernetes release: use "${text}"`,
    );
  }
  if (warnings.length === 0 && !isIPv4 && text !== value) {
    warnings.push(
      `${path.text}: IPv6 CIDR value "${value}" should be in RFC 5952 canonical format ("${text}")`,
    );
  }
  return warnings;
}
