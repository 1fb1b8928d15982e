import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isValidCIDR, isValidIP, parseCIDR } from "../../apimachinery/index.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { IPAddress, ServiceCIDR } from "../types/networking-v1.ts";
import { IPAddress as BetaIPAddress, ServiceCIDR as BetaServiceCIDR } from "../types/networking-v1beta1.ts";

type AnyCIDR = ServiceCIDR | BetaServiceCIDR;
type AnyAddress = IPAddress | BetaIPAddress;

const rangeRules = {
  validate: validateRanges,
  columns: [
    nameColumn,
    column<AnyCIDR>("CIDRs", "Ranges that services get addresses of", {
      value: ({ spec }) => (spec?.cidrs ?? []).join(","),
    }),
    ageColumn,
  ],
  tracksGeneration: false,
} as const;

const addressRules = {
  validate: validateAddress,
  columns: [
    nameColumn,
    column<AnyAddress>("ParentRef", "Who has the address", { value: parentText }),
    ageColumn,
  ],
  nameRule: "none",
  tracksGeneration: false,
} as const;

/** The rules of ranges of service addresses. */
export const serviceCidrDefinition = defineResource<ServiceCIDR>({
  resource: ServiceCIDR,
  ...rangeRules,
  validateUpdate: (range, old) => validateRangeChange(range.spec?.cidrs ?? [], old.spec?.cidrs ?? []),
  prepareForStatusUpdate: (range, old) => ({ ...range, spec: old.spec }),
});

/** The rules of ranges of service addresses, in the beta version. */
export const betaServiceCidrDefinition = defineResource<BetaServiceCIDR>({
  resource: BetaServiceCIDR,
  ...rangeRules,
  validateUpdate: (range, old) => validateRangeChange(range.spec?.cidrs ?? [], old.spec?.cidrs ?? []),
  prepareForStatusUpdate: (range, old) => ({ ...range, spec: old.spec }),
});

/** The rules of allocated service addresses. */
export const ipAddressDefinition = defineResource<IPAddress>({ resource: IPAddress, ...addressRules });

/** The rules of allocated service addresses, in the beta version. */
export const betaIpAddressDefinition = defineResource<BetaIPAddress>({
  resource: BetaIPAddress,
  ...addressRules,
});

function validateRanges({ spec }: AnyCIDR): readonly FieldError[] {
  const path = FieldPath.root("spec").child("cidrs");
  const ranges = spec?.cidrs ?? [];
  if (ranges.length === 0) return [fieldErrors.required(path, "at least one CIDR required")];
  if (ranges.length > 2) return [fieldErrors.tooMany(path, ranges.length, 2)];
  const errors = ranges.flatMap((range, index) => invalidFor(path.index(index), range, isValidCIDR(range)));
  const sizes = ranges.map((range) => parseCIDR(range)?.address.length);
  if (errors.length === 0 && sizes.length === 2 && sizes[0] === sizes[1]) {
    const why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
    errors.push(fieldErrors.invalid(path, ranges, why));
  }
  return errors;
}

/** Ranges stay as they are, but that one of the other family may be added to a single one. */
function validateRangeChange(next: readonly string[], before: readonly string[]): readonly FieldError[] {
  const path = FieldPath.root("spec").child("cidrs");
  const added = before.length === 1 && next.length === 2;
  if (before.length !== next.length && !added) return immutable(path, next, before);
  return before.flatMap((range, index) => immutable(path.index(index), next[index], range));
}

function validateAddress(address: AnyAddress): readonly FieldError[] {
  const name = address.metadata.name;
  const errors = invalidFor(FieldPath.root("metadata").child("name"), name, isValidIP(name));
  const path = FieldPath.root("spec").child("parentRef");
  const parent = address.spec?.parentRef;
  if (parent === undefined) return [...errors, fieldErrors.required(path)];
  if (!parent.resource) errors.push(fieldErrors.required(path.child("resource")));
  if (!parent.name) errors.push(fieldErrors.required(path.child("name")));
  return errors;
}

function parentText({ spec }: AnyAddress): string {
  const parent = spec?.parentRef;
  if (parent === undefined) return "<none>";
  const resource = parent.group ? `${parent.resource}.${parent.group}` : (parent.resource ?? "");
  return parent.namespace ? `${resource}/${parent.namespace}/${parent.name}` : `${resource}/${parent.name}`;
}
