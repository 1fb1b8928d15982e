import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { immutable, inRange, invalidFor, oneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isValidIPv4Address,
  isValidIPv6Address,
} from "../../apimachinery/index.ts";
import { defineResource } from "../definition.ts";
import type { Endpoint, EndpointPort } from "../types/discovery-v1.ts";
import { EndpointSlice } from "../types/discovery-v1.ts";

const addressTypes = ["FQDN", "IPv4", "IPv6"];
const maximumEndpoints = 1000;
const maximumPorts = 20_000;
const maximumAddresses = 100;
/** How many ports and addresses the table shows. */
const shown = 3;

/** The rules of endpoint slices. */
export const endpointSliceDefinition = defineResource<EndpointSlice>({
  resource: EndpointSlice,
  defaults: (slice) =>
    mapField(slice, "ports", (ports) =>
      mapList(ports, (port) =>
        fill(port.name === undefined ? { ...port, name: "" } : port, { protocol: "TCP" }),
      ),
    ),
  validate,
  validateUpdate: (slice, old) =>
    immutable(FieldPath.root("addressType"), slice.addressType, old.addressType),
  columns: [
    nameColumn,
    column("AddressType", "Kind of the addresses", { value: (slice) => slice.addressType ?? "" }),
    column("Ports", "Ports of the endpoints", { value: portsText }),
    column("Endpoints", "Addresses of the endpoints", { value: endpointsText }),
    ageColumn,
  ],
  tracksGeneration: true,
});

function validate(slice: EndpointSlice): readonly FieldError[] {
  const errors = oneOf(FieldPath.root("addressType"), slice.addressType, addressTypes);
  const endpoints = slice.endpoints ?? [];
  const path = FieldPath.root("endpoints");
  if (endpoints.length > maximumEndpoints) {
    errors.push(fieldErrors.tooMany(path, endpoints.length, maximumEndpoints));
  }
  for (const [index, endpoint] of endpoints.entries()) {
    errors.push(...validateEndpoint(endpoint, path.index(index), slice.addressType));
  }
  errors.push(...validatePorts(slice.ports ?? []));
  return errors;
}

function validateEndpoint(endpoint: Endpoint, path: FieldPath, addressType: string): FieldError[] {
  const errors: FieldError[] = [];
  const addresses = endpoint.addresses ?? [];
  const at = path.child("addresses");
  if (addresses.length === 0) errors.push(fieldErrors.required(at, "must contain at least 1 address"));
  else if (addresses.length > maximumAddresses) {
    errors.push(fieldErrors.tooMany(at, addresses.length, maximumAddresses));
  }
  for (const [index, address] of addresses.entries()) {
    if (addressType === "FQDN") {
      errors.push(...invalidFor(at.index(index), address, isDNS1123Subdomain(address)));
    } else if (addressTypes.includes(addressType)) {
      const problems = addressType === "IPv4" ? isValidIPv4Address(address) : isValidIPv6Address(address);
      errors.push(...invalidFor(at.index(index), address, problems));
    }
  }
  if (endpoint.hostname !== undefined) {
    errors.push(...invalidFor(path.child("hostname"), endpoint.hostname, isDNS1123Label(endpoint.hostname)));
  }
  if (endpoint.nodeName !== undefined) {
    errors.push(
      ...invalidFor(path.child("nodeName"), endpoint.nodeName, isDNS1123Subdomain(endpoint.nodeName)),
    );
  }
  return errors;
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  const path = FieldPath.root("ports");
  const errors: FieldError[] = [];
  if (ports.length > maximumPorts) errors.push(fieldErrors.tooMany(path, ports.length, maximumPorts));
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = path.index(index);
    const name = port.name ?? "";
    if (name !== "") errors.push(...invalidFor(at.child("name"), name, isDNS1123Label(name)));
    if (names.has(name)) errors.push(fieldErrors.duplicate(at.child("name"), name));
    names.add(name);
    errors.push(
      ...oneOf(at.child("protocol"), port.protocol, ["SCTP", "TCP", "UDP"]),
      ...inRange(at.child("port"), port.port, { from: 1, to: 65535 }),
    );
  }
  return errors;
}

function portsText(slice: EndpointSlice): string {
  const ports = slice.ports ?? [];
  if (ports.length === 0) return "<unset>";
  return shortened(ports.map((port) => (port.port === undefined ? port.name || "*" : String(port.port))));
}

function endpointsText(slice: EndpointSlice): string {
  const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
  return addresses.length === 0 ? "<unset>" : shortened(addresses);
}

function shortened(list: readonly string[]): string {
  const text = list.slice(0, shown).join(",");
  return list.length > shown ? `${text} + ${list.length - shown} more...` : text;
}
