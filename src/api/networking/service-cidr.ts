import type { FieldError, Problems } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  formatCIDR,
  formatIP,
  ipFamilyOf,
  isDNS1123Subdomain,
  isPathSegmentName,
  isValidCIDR,
  isValidIP,
  nilList,
  parseCIDR,
  parseIP,
} from "../../apimachinery/index.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { immutableValue } from "../common/internal-value.ts";
import { onlyStatus } from "../common/metadata.ts";
import { validateSegments } from "../common/references.ts";
import { updateChecks } from "../common/updates.ts";
import type { RequestContext } from "../definition.ts";
import { defineResource } from "../definition.ts";
import { IPAddress, ServiceCIDR } from "../types/networking-v1.ts";
import { IPAddress as BetaIPAddress, ServiceCIDR as BetaServiceCIDR } from "../types/networking-v1beta1.ts";

type AnyCIDR = ServiceCIDR | BetaServiceCIDR;
type AnyAddress = IPAddress | BetaIPAddress;

const rangeRules = {
  validateCreate: ({ spec }: AnyCIDR) => rangeProblems(spec),
  validateUpdate: updateChecks<AnyCIDR>({ other: validateRangeChange }),
  prepareForStatusUpdate: onlyStatus,
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
  repeatedMetadataChecks: ["whole", "change"],
  validate: validateAddress,
  validateUpdate: ({ spec }: AnyAddress, { spec: old }: AnyAddress) =>
    immutableValue(FieldPath.root("spec").child("parentRef"), {
      next: spec?.parentRef,
      old: old?.parentRef,
      type: "*io.k8s.api.networking.v1.ParentReference",
    }),
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
});

/** The rules of ranges of service addresses, in the beta version. */
export const betaServiceCidrDefinition = defineResource<BetaServiceCIDR>({
  resource: BetaServiceCIDR,
  ...rangeRules,
});

/** The rules of allocated service addresses. */
export const ipAddressDefinition = defineResource<IPAddress>({ resource: IPAddress, ...addressRules });

/** The rules of allocated service addresses, in the beta version. */
export const betaIpAddressDefinition = defineResource<BetaIPAddress>({
  resource: BetaIPAddress,
  ...addressRules,
});

function rangeProblems(spec: AnyCIDR["spec"]): FieldError[] {
  const path = FieldPath.root("spec").child("cidrs");
  const ranges = spec?.cidrs ?? [];
  if (ranges.length === 0) return [fieldErrors.required(path, "at least one CIDR required")];
  if (ranges.length > 2) {
    return [fieldErrors.invalid(path, { CIDRs: ranges }, "may only hold up to 2 values")];
  }
  const errors = ranges.flatMap((range, index) => invalidFor(path.index(index), range, exactRange(range)));
  const [first, second] = ranges.map(ipFamilyOf);
  if (first !== undefined && first === second) {
    const why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
    errors.push(fieldErrors.invalid(path, ranges, why));
  }
  return errors;
}

/** Ranges stay as they are, but that one of the other family may be added to a single one. */
function validateRangeChange({ spec }: AnyCIDR, { spec: old }: AnyCIDR): FieldError[] {
  const path = FieldPath.root("spec").child("cidrs");
  const [next, before] = [spec?.cidrs ?? [], old?.cidrs ?? []];
  const added = before.length === 1 && next.length === 2;
  if (before.length !== next.length && !added) {
    return [fieldErrors.invalid(path, next.length === 0 ? nilList : next, "field is immutable")];
  }
  const changes = before.flatMap((range, index) => immutable(path.index(index), next[index], range));
  return added ? [...changes, ...rangeProblems(spec)] : changes;
}

function validateAddress(
  address: AnyAddress,
  { operation }: Pick<RequestContext, "operation">,
): FieldError[] {
  const { name } = address.metadata;
  const at = FieldPath.root("metadata").child("name");
  const errors = operation === "create" ? invalidFor(at, name, exactAddress(name)) : [];
  const path = FieldPath.root("spec").child("parentRef");
  const parent = address.spec?.parentRef;
  if (parent === undefined) return [...errors, fieldErrors.required(path)];
  const { group, namespace } = parent;
  return [
    ...errors,
    ...(group ? invalidFor(path.child("group"), group, isDNS1123Subdomain(group)) : []),
    ...validateSegments(parent, path, ["resource", "name"]),
    ...(namespace ? invalidFor(path.child("namespace"), namespace, isPathSegmentName(namespace)) : []),
  ];
}

/** Only one text names an address or a range: objects are found by it. */
const exactAddress = (text: string) => exactly(isValidIP(text), text, formatIP(parseIP(text) ?? []));

function exactRange(text: string): Problems {
  const range = parseCIDR(text);
  return exactly(isValidCIDR(text), text, range === undefined ? "" : formatCIDR(range));
}

const exactly = (problems: Problems, text: string, exact: string): Problems =>
  problems.length > 0 || text === exact ? problems : [`must be in canonical form (${JSON.stringify(exact)})`];

function parentText({ spec }: AnyAddress): string {
  const parent = spec?.parentRef;
  if (parent === undefined) return "<none>";
  const resource = parent.group ? `${parent.resource}.${parent.group}` : (parent.resource ?? "");
  return parent.namespace ? `${resource}/${parent.namespace}/${parent.name}` : `${resource}/${parent.name}`;
}
