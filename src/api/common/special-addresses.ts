import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { cidrContains, fieldErrors, parseCIDR, parseIP } from "../../apimachinery/index.ts";

const reserved: readonly (readonly [ranges: readonly string[], why: (address: string) => string])[] = [
  [["0.0.0.0/32", "::/128"], (address) => `may not be unspecified (${address})`],
  [["127.0.0.0/8", "::1/128"], () => "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [["169.254.0.0/16", "fe80::/10"], () => "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  [
    ["224.0.0.0/24", "ff02::/16"],
    () => "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
  ],
];
const parsed = reserved.map(
  ([ranges, why]) => [ranges.flatMap((range) => parseCIDR(range) ?? []), why] as const,
);

/** Checks that an address leads somewhere from elsewhere. */
export function validateNonSpecialAddress(text: string, path: FieldPath): FieldError[] {
  const address = parseIP(text);
  if (address === undefined) return [fieldErrors.invalid(path, text, "must be a valid IP address")];
  return parsed.flatMap(([ranges, why]) =>
    ranges.some((range) => cidrContains(range, address)) ? [fieldErrors.invalid(path, text, why(text))] : [],
  );
}
