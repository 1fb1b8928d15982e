import type { FieldPath } from "../../apimachinery/index.ts";
import { formatIP, ipFamilyOf, parseIP } from "../../apimachinery/index.ts";

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
