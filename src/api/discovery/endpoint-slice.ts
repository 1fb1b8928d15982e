import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  ipFamilyOf,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidIP,
  isValidLabelValue,
} from "../../apimachinery/index.ts";
import { ipWarnings } from "../common/address-warnings.ts";
import { immutable, invalidFor, oneOf, optionalOneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { validateFullDomainName } from "../common/domain-names.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fillMissing, mapField, mapList, omit } from "../common/fill.ts";
import { validateLabels } from "../common/selectors.ts";
import { validateNonSpecialAddress } from "../common/special-addresses.ts";
import { defineResource } from "../definition.ts";
import type { Endpoint, EndpointHints, EndpointPort } from "../types/discovery-v1.ts";
import { EndpointSlice } from "../types/discovery-v1.ts";

const addressTypes = ["FQDN", "IPv4", "IPv6"];
const protocols = ["SCTP", "TCP", "UDP"];
const maximumEndpoints = 1000;
const maximumPorts = 20_000;
const maximumAddresses = 100;
const maximumTopologyLabels = 16;
const maximumHints = 8;
/** How many ports and addresses the table shows. */
const shown = 3;
const managedBy = "endpointslice.kubernetes.io/managed-by";
/** Who writes addresses in their one form, so that nobody need be warned. */
const carefulManagers = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];
const hostnameLabel = "kubernetes.io/hostname";
const none: ReadonlySet<string> = new Set();

/** The rules of endpoint slices. */
export const endpointSliceDefinition = defineResource<EndpointSlice>({
  resource: EndpointSlice,
  repeatedMetadataChecks: ["whole"],
  defaults: (slice) =>
    mapField(slice, "ports", (ports) =>
      mapList(ports, (port) => fillMissing(port, { name: "", protocol: "TCP" })),
    ),
  prepareForCreate: (slice) => withoutTopology(slice, undefined),
  prepareForUpdate: (slice, old) => countingLabels(withoutTopology(slice, old), old),
  validateCreate: (slice) => validate(slice, none),
  // Addresses that are there already may stay as they are written.
  validateUpdate: (slice, old) => [
    ...validate(slice, new Set((old.endpoints ?? []).flatMap(({ addresses }) => addresses ?? []))),
    ...immutable(FieldPath.root("addressType"), slice.addressType, old.addressType),
  ],
  warnings,
  columns: [
    nameColumn,
    column("AddressType", "Kind of the addresses", { value: (slice) => slice.addressType ?? "" }),
    column("Ports", "Ports of the endpoints", { value: portsText }),
    column("Endpoints", "Addresses of the endpoints", { value: endpointsText }),
    ageColumn,
  ],
  tracksGeneration: true,
});

/** The slice without the topology that this version only shows; a node that it alone named keeps its name. */
function withoutTopology(slice: EndpointSlice, old: EndpointSlice | undefined): EndpointSlice {
  if (old !== undefined && semanticallyEqual(slice.endpoints, old.endpoints)) return slice;
  const nodes = new Set(
    (old?.endpoints ?? []).map((endpoint) => endpoint.deprecatedTopology?.[hostnameLabel]),
  );
  return mapField(slice, "endpoints", (endpoints) =>
    mapList(endpoints, (endpoint) => {
      const node = endpoint.deprecatedTopology?.[hostnameLabel];
      const rest = omit(endpoint, "deprecatedTopology");
      const isKept = node && endpoint.nodeName === undefined && nodes.has(node);
      return isKept && isDNS1123Subdomain(node).length === 0 ? { ...rest, nodeName: node } : rest;
    }),
  );
}

/** Labels count as what the slice is for: they raise its generation too. */
function countingLabels(slice: EndpointSlice, old: EndpointSlice): EndpointSlice {
  if (semanticallyEqual(slice.metadata.labels, old.metadata.labels)) return slice;
  return { ...slice, metadata: { ...slice.metadata, generation: (old.metadata.generation ?? 0) + 1 } };
}

function warnings(slice: EndpointSlice, old: EndpointSlice | undefined): string[] {
  const isDeprecated = old === undefined && slice.addressType === "FQDN";
  const deprecated = isDeprecated ? ["spec.addressType: FQDN endpoints are deprecated"] : [];
  if (carefulManagers.includes(slice.metadata.labels?.[managedBy] ?? "")) return deprecated;
  const path = FieldPath.root("endpoints");
  const addresses = (slice.endpoints ?? []).flatMap((endpoint, index) =>
    (endpoint.addresses ?? []).flatMap((address, position) =>
      ipWarnings(address, path.index(index).child("addresses").index(position)),
    ),
  );
  return [...deprecated, ...addresses];
}

function validate(slice: EndpointSlice, known: ReadonlySet<string>): FieldError[] {
  const { addressType } = slice;
  const endpoints = slice.endpoints ?? [];
  const path = FieldPath.root("endpoints");
  return [
    ...oneOf(FieldPath.root("addressType"), addressType, addressTypes),
    ...(endpoints.length > maximumEndpoints
      ? [fieldErrors.tooMany(path, endpoints.length, maximumEndpoints)]
      : endpoints.flatMap((endpoint, index) =>
          validateEndpoint(endpoint, path.index(index), { addressType, known }),
        )),
    ...validatePorts(slice.ports ?? []),
  ];
}

interface AddressRules {
  readonly addressType: string;
  readonly known: ReadonlySet<string>;
}

function validateEndpoint(endpoint: Endpoint, path: FieldPath, rules: AddressRules): FieldError[] {
  const errors: FieldError[] = [];
  const { addresses, hostname, nodeName, deprecatedTopology, hints } = endpoint;
  const at = path.child("addresses");
  if (!addresses?.length) errors.push(fieldErrors.required(at, "must contain at least 1 address"));
  else if (addresses.length > maximumAddresses) {
    errors.push(fieldErrors.tooMany(at, addresses.length, maximumAddresses));
  }
  for (const [index, address] of (addresses ?? []).entries()) {
    errors.push(...validateAddress(address, at.index(index), rules));
  }
  if (nodeName !== undefined) {
    errors.push(...invalidFor(path.child("nodeName"), nodeName, isDNS1123Subdomain(nodeName)));
  }
  const topology = Object.keys(deprecatedTopology ?? {}).length;
  const topologyPath = path.child("deprecatedTopology");
  if (topology > maximumTopologyLabels) {
    errors.push(fieldErrors.tooMany(topologyPath, topology, maximumTopologyLabels));
  }
  errors.push(...validateLabels(deprecatedTopology, topologyPath));
  if (hostname !== undefined) {
    errors.push(...invalidFor(path.child("hostname"), hostname, isDNS1123Label(hostname)));
  }
  return hints === undefined ? errors : [...errors, ...validateHints(hints, path.child("hints"))];
}

function validateAddress(
  address: string,
  path: FieldPath,
  { addressType, known }: AddressRules,
): FieldError[] {
  if (addressType === "FQDN") return validateFullDomainName(address, path);
  if (!addressTypes.includes(addressType)) return [];
  const problems = isValidIP(address);
  if (problems.length > 0) return known.has(address) ? [] : invalidFor(path, address, problems);
  return [
    ...(ipFamilyOf(address) === addressType
      ? []
      : [fieldErrors.invalid(path, address, `must be an ${addressType} address`)]),
    ...validateNonSpecialAddress(address, path),
  ];
}

function validateHints({ forZones = [], forNodes = [] }: EndpointHints, path: FieldPath): FieldError[] {
  const zones = path.child("forZones");
  if (forZones.length > maximumHints) return [fieldErrors.tooMany(zones, forZones.length, maximumHints)];
  const errors = validateTargets(forZones, zones, isValidLabelValue);
  const nodes = path.child("forNodes");
  if (forNodes.length > maximumHints) {
    return [...errors, fieldErrors.tooMany(nodes, forNodes.length, maximumHints)];
  }
  return [...errors, ...validateTargets(forNodes, nodes, isDNS1123Subdomain)];
}

function validateTargets(
  targets: readonly { readonly name: string }[],
  path: FieldPath,
  problemsOf: (name: string) => readonly string[],
): FieldError[] {
  const names = new Set<string>();
  return targets.flatMap(({ name }, index) => {
    const at = path.index(index).child("name");
    const errors = names.has(name) ? [fieldErrors.duplicate(at, name)] : [];
    names.add(name);
    return [...errors, ...invalidFor(at, name, problemsOf(name))];
  });
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  const path = FieldPath.root("ports");
  if (ports.length > maximumPorts) return [fieldErrors.tooMany(path, ports.length, maximumPorts)];
  const names = new Set<string>();
  return ports.flatMap(({ name = "", protocol, appProtocol }, index) => {
    const at = path.index(index);
    const errors = name === "" ? [] : invalidFor(at.child("name"), name, isDNS1123Label(name));
    if (names.has(name)) errors.push(fieldErrors.duplicate(at.child("name"), name));
    names.add(name);
    errors.push(...optionalOneOf(at.child("protocol"), protocol, protocols));
    if (appProtocol === undefined) return errors;
    return [...errors, ...invalidFor(at.child("appProtocol"), appProtocol, isQualifiedName(appProtocol))];
  });
}

function portsText({ ports }: EndpointSlice): string {
  return shortened(
    (ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? "*") : String(port))),
  );
}

function endpointsText(slice: EndpointSlice): string {
  return shortened((slice.endpoints ?? []).flatMap(({ addresses }) => addresses ?? []));
}

function shortened(list: readonly string[]): string {
  const text = list.slice(0, shown).join(",");
  if (list.length > shown) return `${text} + ${list.length - shown} more...`;
  return text === "" ? "<unset>" : text;
}
