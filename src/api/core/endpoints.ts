import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidIP,
  isValidPortNum,
} from "../../apimachinery/index.ts";
import { ipWarnings } from "../common/address-warnings.ts";
import { invalidFor, oneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import { validateNonSpecialAddress } from "../common/special-addresses.ts";
import { defineResource } from "../definition.ts";
import type { EndpointAddress, EndpointPort } from "../types/core-v1.ts";
import { Endpoints } from "../types/core-v1.ts";

/** How many addresses the table shows. */
const shownAddresses = 3;

const managedByLabel = "endpoints.kubernetes.io/managed-by";
const controllerName = "endpoint-controller";

/** The rules of endpoints. */
export const endpointsDefinition = defineResource<Endpoints>({
  resource: Endpoints,
  repeatedMetadataChecks: ["change", "whole"],
  createsOnUpdate: true,
  defaults: (endpoints) =>
    mapField(endpoints, "subsets", (subsets) =>
      mapList(subsets, (subset) =>
        mapField(subset, "ports", (ports) => mapList(ports, (port) => fill(port, { protocol: "TCP" }))),
      ),
    ),
  validate,
  warnings: endpointsWarnings,
  columns: [
    nameColumn,
    column("Endpoints", "Ready addresses with their ports", { value: endpointsText }),
    ageColumn,
  ],
});

function validate(endpoints: Endpoints): readonly FieldError[] {
  const path = FieldPath.root("subsets");
  return (endpoints.subsets ?? []).flatMap((subset, index) => {
    const at = path.index(index);
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    const errors: FieldError[] = [];
    if (addresses.length + notReadyAddresses.length === 0) {
      errors.push(fieldErrors.required(at, "must specify `addresses` or `notReadyAddresses`"));
    }
    return [
      ...errors,
      ...validateAddresses(addresses, at.child("addresses")),
      ...validateAddresses(notReadyAddresses, at.child("notReadyAddresses")),
      ...validatePorts(ports, at.child("ports")),
    ];
  });
}

function validateAddresses(addresses: readonly EndpointAddress[], path: FieldPath): FieldError[] {
  return addresses.flatMap(({ ip, hostname, nodeName }, index) => {
    const at = path.index(index);
    return [
      ...invalidFor(at.child("ip"), ip, isValidIP(ip)),
      ...(hostname ? invalidFor(at.child("hostname"), hostname, isDNS1123Label(hostname)) : []),
      ...(nodeName === undefined
        ? []
        : invalidFor(at.child("nodeName"), nodeName, isDNS1123Subdomain(nodeName))),
      ...validateNonSpecialAddress(ip, at.child("ip")),
    ];
  });
}

function validatePorts(ports: readonly EndpointPort[], path: FieldPath): FieldError[] {
  return ports.flatMap(({ name, port, protocol, appProtocol }, index) => {
    const at = path.index(index);
    const naming = name
      ? invalidFor(at.child("name"), name, isDNS1123Label(name))
      : ports.length > 1
        ? [fieldErrors.required(at.child("name"))]
        : [];
    return [
      ...naming,
      ...invalidFor(at.child("port"), port ?? 0, isValidPortNum(port ?? 0)),
      ...oneOf(at.child("protocol"), protocol, ["SCTP", "TCP", "UDP"]),
      ...(appProtocol === undefined
        ? []
        : invalidFor(at.child("appProtocol"), appProtocol, isQualifiedName(appProtocol))),
    ];
  });
}

/** Warns of old notations, but not the controller, which has none. */
function endpointsWarnings({ metadata, subsets = [] }: Endpoints): readonly string[] {
  if (metadata.labels?.[managedByLabel] === controllerName) return [];
  return subsets.flatMap((subset, index) =>
    (["addresses", "notReadyAddresses"] as const).flatMap((field) =>
      (subset[field] ?? []).flatMap(({ ip }, position) =>
        ipWarnings(ip, FieldPath.root("subsets").index(index).child(field).index(position).child("ip")),
      ),
    ),
  );
}

function endpointsText(endpoints: Endpoints): string {
  if (!endpoints.subsets?.length) return "<none>";
  const all: string[] = [];
  for (const { addresses = [], ports = [] } of endpoints.subsets) {
    if (ports.length === 0) all.push(...addresses.map((address) => address.ip));
    for (const port of ports) all.push(...addresses.map((address) => hostAndPort(address.ip, port.port)));
  }
  const text = all.slice(0, shownAddresses).join(",");
  return all.length > shownAddresses ? `${text} + ${all.length - shownAddresses} more...` : text;
}

function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
